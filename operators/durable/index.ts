export type { DurableOptions, DurableStateOptions, DurableValueOptions } from '../../lib/twin/twinOptions.js'
export { scan } from './scan.js'
