export type { BarrierOptions } from './barrierRules.js'
export { type Cancel, type Clock, schedulerClock, systemClock } from './clock.js'
export { type Codec, type CodecOf, codec, json, type Restorable, type SchemaMustNotTransform } from './codec.js'
export type { CheckpointOptions } from './coordinator.js'
export type { Delivery } from './delivery.js'
export type { DropCount, DroppedRecords, DropReason } from './droppedRecords.js'
export {
  type AnyKeyOperator,
  type AnyStream,
  type KeyedOperator,
  type KeyedOperatorOn,
  type KeyedStream,
  type KeyReadingOperator,
  recordOf,
  type Stream,
  type StreamElement,
  type StreamRecord,
  type Unkeyed,
} from './element.js'
export { type Emitted, emits, type OutputType } from './emits.js'
export {
  BackendError,
  CheckpointError,
  type CodeOf,
  ConfigurationError,
  type ErrorClass,
  type ErrorCode,
  type ErrorDetails,
  errorTable,
  InvariantViolation,
  RestoreError,
  RxweirError,
  SinkError,
  SourceError,
  StreamError,
} from './errors.js'
export type { JobEvent } from './events.js'
export type { CheckpointId, Epoch, JobName, OperatorUid } from './identity.js'
export type { JobInstance } from './instanceShare.js'
export type { Delivered } from './intake/delivered.js'
export { defineJob, type Job, type JobRunHandle, type JobScope } from './job.js'
export type { JobCheckpointOptions, JobOptions } from './jobOptions.js'
export type { StopOptions } from './jobRun.js'
export type { Json } from './json.js'
export type { Key } from './key.js'
export { KeyedOperatorState } from './keyedOperator.js'
export type { KeyedContext, TimerContext } from './keyedView.js'
export type { Limits } from './limits.js'
export { type LogFields, type Logger, type LogLevel, type MessageFirstLogger, messageFirst } from './log/logger.js'
export { type EventLog, type LoggedRun, logEvents, logRun } from './log/logRun.js'
export type { Machine, MachineContext, OperatorSpec, Receiver } from './machine.js'
export type { CheckpointFigures, CheckpointPhases, OperatorMetrics, RunMetrics, SinkMetrics, SourceMetrics } from './metrics.js'
export type { OnCancel } from './onCancel.js'
export { operate } from './operate.js'
export type { Pacing } from './pacing.js'
export type {
  CheckpointSession,
  CheckpointStorage,
  CheckpointWriter,
  ExpiredRows,
  RowChunk,
  StorageManifest,
  StorageOpenOptions,
  StoredCheckpoint,
  Unwanted,
  WriterOptions,
} from './ports/checkpointStorage.js'
export type { FileIdentity, FileLayer, OpenFile } from './ports/fileLayer.js'
export type {
  DeadLetter,
  ReplayableSource,
  SourceBatch,
  SourceContext,
  SourceFailure,
  SourceOffset,
  SourceRead,
  SourceReader,
} from './ports/replayableSource.js'
export type { StateBackend, StateBackendManifest, StateRun, StateTables } from './ports/stateBackend.js'
export type { CommittedUpTo, SinkContext, SinkWriter, TransactionalSink, TransactionHandle } from './ports/transactionalSink.js'
export type { CheckpointQuery, StateQuery, StateRow } from './query.js'
export { type ExponentialDelayOptions, exponentialDelay } from './restart/exponentialDelay.js'
export { type FailureRateOptions, failureRate } from './restart/failureRate.js'
export { fixedDelay } from './restart/fixedDelay.js'
export { noRestart } from './restart/noRestart.js'
export type { RestartClock, RestartStrategy } from './restart/restartStrategy.js'
export type { RestoreCheck, StateCheck, StateOutcome } from './restore/restoreCheck.js'
export type { RestoreOptions } from './restore/restoreOptions.js'
export type { SealingKeys } from './sealing/sealingKeys.js'
export type { ValueCompression } from './sealing/valueCipher.js'
export type { NameTheType, SideOutput } from './sideOutput.js'
export type { Sunk } from './sink.js'
export { type AggregatingState, aggregatingState, type ReadonlyAggregatingState } from './state/aggregatingState.js'
export type { Handles, ReadonlyHandles, StateDescriptor, StateDescriptors, StateOptions } from './state/descriptor.js'
export type { EntryTable } from './state/entryTable.js'
export { heap } from './state/heap.js'
export { type ListState, listState, type ReadonlyListState, unionListState } from './state/listState.js'
export { type MapState, mapState, type ReadonlyMapState } from './state/mapState.js'
export { type ReadonlyReducingState, type ReducingState, reducingState } from './state/reducingState.js'
export type { RowTableOptions } from './state/rowStore.js'
export type { RowTable } from './state/rowTable.js'
export type { TimeDomain, Timers } from './state/timers.js'
export type { Ttl } from './state/ttl.js'
export { type ReadonlyValueState, type ValueState, valueState } from './state/valueState.js'
export { boundedOutOfOrderness, monotonousTimestamps, type WatermarkGenerator, type WatermarkStrategy } from './watermarkStrategy.js'
export { type Aggregate, countRecords, mean } from './window/aggregate.js'
export type { Assigner } from './window/assigner.js'
export { continuousEventTime } from './window/continuousEventTime.js'
export { continuousProcessingTime } from './window/continuousProcessingTime.js'
export { countEvictor } from './window/countEvictor.js'
export { countTrigger } from './window/countTrigger.js'
export { type CountWindow, countWindow } from './window/countWindow.js'
export { deltaEvictor } from './window/deltaEvictor.js'
export { type DeltaOptions, deltaTrigger } from './window/deltaTrigger.js'
export { endOfStreamTrigger } from './window/endOfStreamTrigger.js'
export { eventTimeTrigger } from './window/eventTimeTrigger.js'
export type { Evictor, EvictorOptions, Timed } from './window/evictor.js'
export type { FirstOrSecond } from './window/firstOrSecond.js'
export { globalWindow } from './window/globalWindow.js'
export { neverTrigger } from './window/neverTrigger.js'
export { type ProcessingTimeoutOptions, processingTimeout } from './window/processingTimeout.js'
export { processingTimeTrigger } from './window/processingTimeTrigger.js'
export { purging } from './window/purging.js'
export { type SessionOptions, session } from './window/session.js'
export { type SlidingAssigner, type SlidingOptions, sliding } from './window/sliding.js'
export { timeEvictor } from './window/timeEvictor.js'
export { type TimeWindow, timeWindow } from './window/timeWindow.js'
export { type Decision, type MergeContext, type Trigger, type TriggerContext, trigger } from './window/trigger.js'
export { tumbling } from './window/tumbling.js'
