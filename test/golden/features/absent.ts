import { type Case, NotYet, Unsupported } from '../model.js'

/** Features that the library does not have, and will. */
export const notYet =
  (operator: string) =>
  (_golden: Case): void => {
    throw new NotYet(operator)
  }

/** Features that have no meaning here. */
export const without =
  (reason: string) =>
  (_golden: Case): void => {
    throw new Unsupported(reason)
  }
