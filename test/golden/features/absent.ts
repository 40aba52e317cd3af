import { type Case, Unsupported } from '../model.js'

/** Features that have no meaning here. */
export const without =
  (reason: string) =>
  (_golden: Case): void => {
    throw new Unsupported(reason)
  }
