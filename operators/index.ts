export { assignTimestamps } from './assignTimestamps.js'
export { collect } from './collect.js'
export { asyncMap, type AsyncMapOptions } from './asyncMap.js'
export { type BroadcastContext, connectBroadcast } from './connectBroadcast.js'
export { connectKeyed } from './connectKeyed.js'
export { filterValues } from './filterValues.js'
export { flatMapValues } from './flatMapValues.js'
export { fromSide } from './fromSide.js'
export { intervalJoin, type IntervalJoinOptions } from './intervalJoin.js'
export { keyBy } from './keyBy.js'
export { lift } from './lift.js'
export { mapValues } from './mapValues.js'
export { processKeyed, type ProcessOptions } from './processKeyed.js'
export { processUnkeyed } from './processUnkeyed.js'
export { records } from './records.js'
export { sideOutput } from './sideOutput.js'
export { sink } from './sink.js'
export { statefulFlatMap } from './statefulFlatMap.js'
export { statefulMap } from './statefulMap.js'
export { tapValues } from './tapValues.js'
export { union } from './union.js'
export { values } from './values.js'
export {
  type CommonWindowOptions,
  type ProcessWindowContext,
  type ProcessWindowOptions,
  type ReduceWindowOptions,
  window,
  type WindowContext,
  type WindowOptions,
} from './window.js'
export { windowAll, type WindowAllOperator } from './windowAll.js'
export { windowBy } from './windowBy.js'
