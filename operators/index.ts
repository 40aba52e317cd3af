export { assignTimestamps } from './assignTimestamps.js'
export { type AsyncMapOptions, asyncMap } from './asyncMap.js'
export { type CheckpointedOptions, checkpointed, type DeliveryWithCheckpoint, type ImmediateDelivery, type InputScope } from './checkpointed.js'
export { type CoGroupOptions, coGroup, type GroupContext } from './coGroup.js'
export { collect } from './collect.js'
export { type BroadcastContext, connectBroadcast, type PlainDataContext } from './connectBroadcast.js'
export { connectKeyed } from './connectKeyed.js'
export { filterValues } from './filterValues.js'
export { flatMapValues } from './flatMapValues.js'
export { fromSide } from './fromSide.js'
export { type IntervalJoinOptions, intervalJoin } from './intervalJoin.js'
export { keyBy } from './keyBy.js'
export { lift } from './lift.js'
export { mapValues } from './mapValues.js'
export { type ProcessOptions, processKeyed } from './processKeyed.js'
export { processUnkeyed } from './processUnkeyed.js'
export { type RecordsOptions, records } from './records.js'
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
  type WindowContext,
  type WindowOptions,
  window,
} from './window.js'
export { type WindowAllOperator, windowAll } from './windowAll.js'
export { windowBy } from './windowBy.js'
export { windowJoin } from './windowJoin.js'
