export { type Cancel, type Clock, schedulerClock, systemClock } from './clock.js'
export { type Codec, type CodecOf, codec, json, type Restorable, type SchemaMustNotTransform } from './codec.js'
export type { CheckpointOptions } from './coordinator.js'
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
export { defineJob, type Job, type JobOptions, type JobRunHandle, type JobScope } from './job.js'
export type { Json } from './json.js'
export type { Key } from './key.js'
export type { Limits } from './limits.js'
export type { Machine, MachineContext, OperatorSpec, Receiver } from './machine.js'
export { operate } from './operate.js'
export type {
  CheckpointSession,
  CheckpointStorage,
  CheckpointWriter,
  RowChunk,
  StorageManifest,
  StoredCheckpoint,
} from './ports/checkpointStorage.js'
export type { FileLayer, OpenFile } from './ports/fileLayer.js'
export type { DeadLetter, ReplayableSource, SourceBatch, SourceContext, SourceOffset, SourceRead, SourceReader } from './ports/replayableSource.js'
export type { CommittedUpTo, SinkContext, SinkWriter, TransactionalSink, TransactionHandle } from './ports/transactionalSink.js'
export type { NameTheType, SideOutput } from './sideOutput.js'
export type { Sunk } from './sink.js'
export type { Pacing } from './sourcePump.js'
export type { RowTable, RowTableOptions } from './state/rowTable.js'
export { boundedOutOfOrderness, monotonousTimestamps, type WatermarkGenerator, type WatermarkStrategy } from './watermarkStrategy.js'
export { type Aggregate, type Assigner, countRecords, mean, tumbling } from './window.js'
