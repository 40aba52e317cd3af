// What operators that fold and cut streams into windows are given.
export { type Aggregate, countRecords, mean } from './window/aggregate.js'
export type { Assigner } from './window/assigner.js'
export { tumbling } from './window/tumbling.js'
