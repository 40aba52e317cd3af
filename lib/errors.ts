/**
 * Every error that rxweir raises, with its code. Codes are API, messages are not.
 *
 * `docs/errors.md` is generated from this table.
 */
export const errorTable = {
  // --- the pipeline was assembled wrongly
  NAME_INVALID: {
    class: 'ConfigurationError',
    meaning: 'a name is not usable as the name of state',
    hint: 'use 1 to 100 characters of A-Z, a-z, 0-9, ".", "_" and "-", and no name that an operating system reserves',
  },
  OPTION_INVALID: { class: 'ConfigurationError', meaning: 'an option has a value outside its range', hint: 'see the documented range of the option' },
  UID_DUPLICATE: {
    class: 'ConfigurationError',
    meaning: 'two operators of one pipeline share a uid',
    hint: 'give each stateful operator, source and sink a uid of its own',
  },
  STREAM_NOT_KEYED: {
    class: 'ConfigurationError',
    meaning: 'an operator with keyed state stands on a stream without keys',
    hint: 'put keyBy(...) before it',
  },
  SOURCE_NOT_REPLAYABLE: {
    class: 'ConfigurationError',
    meaning: 'a job reads from something that cannot be read again',
    hint: 'open inputs of a job with source(uid, ...), not with records()',
  },
  OPERATOR_NOT_STARTED: {
    class: 'ConfigurationError',
    meaning: 'an operator of the job never saw the start of its stream',
    hint: 'end every branch in a sink that the graph function returns; between operators use only rxjs operators that pass every element on at once (no filter, delay, debounceTime, observeOn(asyncScheduler))',
  },
  JOB_WITHOUT_SINK: {
    class: 'ConfigurationError',
    meaning: 'the graph function of a job returned nothing to run',
    hint: 'return the stream that sink(...) returns, or an array of them',
  },
  SIDE_OUTPUT_UNREACHABLE: {
    class: 'ConfigurationError',
    meaning: 'fromSide was applied to a stream that does not emit that side output',
    hint: 'apply fromSide(tag) directly to the stream of the operator that emits it; forks need no share()',
  },
  TRIGGER_CANNOT_MERGE: {
    class: 'ConfigurationError',
    meaning: 'windows that merge have a trigger that cannot merge',
    hint: 'choose another trigger, or give yours onMerge; states that merge are lists, and those that reduce or aggregate',
  },
  STORAGE_WITHOUT_JOURNAL: {
    class: 'ConfigurationError',
    meaning: 'values are to be noted down, and the storage has no journal',
    hint: 'use a storage that has one, such as directory(...), or leave journal: true out',
  },
  STORAGE_WITHOUT_DISCARD: {
    class: 'ConfigurationError',
    meaning: 'checkpoints are to be deleted when the job is cancelled, and the storage cannot do that',
    hint: "use a storage whose manifest says discards, such as directory(...), or leave checkpoints.onCancel at 'retain'",
  },
  STATE_UNKNOWN: {
    class: 'ConfigurationError',
    meaning: 'a run has no state of this name',
    hint: 'name the uid of an operator and one of its states; they are there once the run has started',
  },
  STATE_NOT_SPLITTABLE: {
    class: 'ConfigurationError',
    meaning: 'an operator of a job of several instances needs records that only other instances have',
    hint: 'key the stream once, keep state per key behind it, and broadcast or join only what is split alike; or run one instance',
  },
  STATE_STORED_ELSEWHERE: {
    class: 'ConfigurationError',
    meaning: 'live rows are to stay in a store that does not have the checkpoints of the job',
    hint: 'give the job both from one: defineJob(name, { ...lmdb(path) }, ...), or { ...level(database) }, or keep live rows on the heap',
  },
  STATE_NOT_SYNCHRONOUS: {
    class: 'ConfigurationError',
    meaning: 'live rows are to stay in a store that cannot be read at once',
    hint: 'use a database whose supports.getSync is true, such as classic-level, without encryption and compression; or lmdb(path); or keep live rows on the heap and give the job the storage alone',
  },
  CODEC_ASYNCHRONOUS: {
    class: 'ConfigurationError',
    meaning: 'a schema validates asynchronously',
    hint: 'state is decoded synchronously: use a schema without asynchronous refinements',
  },
  CODEC_INVALID: {
    class: 'ConfigurationError',
    meaning: 'something that is no codec was given as one',
    hint: 'pass an io-ts type, a Standard Schema (zod, valibot, arktype) or codec({ encode, decode })',
  },
  PACKAGE_MISSING: {
    class: 'ConfigurationError',
    meaning: 'a package that is not installed with rxweir is missing',
    hint: 'install the package named',
  },
  // --- the stream broke the protocol
  STREAM_NOT_STARTED: {
    class: 'StreamError',
    meaning: 'an element arrived before the start of its stream',
    hint: 'feed operators from records() or from the source(...) of a job',
  },
  STREAM_STARTED_TWICE: {
    class: 'StreamError',
    meaning: 'a second start arrived on one input',
    hint: 'join element streams with union(...), not with merge, concat or startWith; do not use repeat or retry inside a job',
  },
  SUBSCRIBED_AGAIN: {
    class: 'StreamError',
    meaning: 'a running stream was subscribed to again',
    hint: 'restart the whole job, job.pipe(retry(...)), not a part of it',
  },
  INPUT_CUT: {
    class: 'StreamError',
    meaning: 'an input completed without its end of input',
    hint: 'an rxjs operator such as take, takeUntil, catchError or retry ended the element stream; end the job itself instead, job.pipe(take(...))',
  },
  BARRIER_LOST: {
    class: 'StreamError',
    meaning: 'a checkpoint barrier did not arrive on an input',
    hint: 'an rxjs operator between two rxweir operators dropped a control element: use filterValues, mapValues or lift(...) instead',
  },
  BARRIER_REPEATED: {
    class: 'StreamError',
    meaning: 'a checkpoint barrier arrived twice or out of order',
    hint: 'join element streams with union(...), and pass every element on once and in order',
  },
  ENTRY_QUEUE_FULL: {
    class: 'StreamError',
    meaning: 'a feedback loop filled the entry queue of an operator',
    hint: 'break the loop, or raise limits.entryQueueMax',
  },
  KEY_INVALID: {
    class: 'StreamError',
    meaning: 'a key selector returned something that cannot be a key',
    hint: 'a key is a string, number, bigint, boolean, null, Date, or an array of these',
  },
  TIMESTAMP_INVALID: {
    class: 'StreamError',
    meaning: 'a record has no usable event time',
    hint: 'put assignTimestamps(...) before the operator and return whole milliseconds since 1970',
  },
  SESSION_GAP_INVALID: {
    class: 'StreamError',
    meaning: 'the function that names the gap of a session returned no usable one',
    hint: 'return a whole number of milliseconds, at least 1, from gapOf',
  },
  LIFT_ASYNCHRONOUS: {
    class: 'StreamError',
    meaning: 'a lifted operator emitted outside the call',
    hint: 'lift(...) takes stateless synchronous operators such as map and filter',
  },
  LIFT_COMPLETED: {
    class: 'StreamError',
    meaning: 'a lifted operator completed its stream',
    hint: 'lift(...) takes stateless synchronous operators; take(n) and the like cut a stream',
  },
  VALUE_NOT_ENCODABLE: {
    class: 'StreamError',
    meaning: 'a value cannot be written so that it reads back the same',
    hint: 'functions, symbols, class instances and cycles cannot be stored: keep plain data, or give a codec',
  },
  INTAKE_FULL: {
    class: 'StreamError',
    meaning: 'values arrive faster than they can be taken',
    hint: 'slow the source down (bufferTime, throttleTime, sampleTime), or raise receivedMax; what was noted down before is not lost',
  },
  JOURNAL_FULL: {
    class: 'StreamError',
    meaning: 'the journal has reached its limit',
    hint: 'a checkpoint trims it: make checkpoints more frequent, find out why none completes, or raise journalBytesMax; what is in it is not lost',
  },
  STREAM_FINISHED: {
    class: 'StreamError',
    meaning: 'values came for an input whose end is part of the stored state',
    hint: "if completing only means a pause, use atEnd: 'suspend'; if the source repeats what it has said, give id; else start under another name",
  },
  CALL_TIMED_OUT: {
    class: 'StreamError',
    meaning: 'an asynchronous call took longer than it may',
    hint: 'raise timeoutMs, or say with otherwise what stands in for its result',
  },
  ZIP_QUEUE_FULL: {
    class: 'StreamError',
    meaning: 'one of the streams of zipWith is too many values ahead of the others',
    hint: 'its values wait for partners: let the streams bring as many each, or raise queuedValuesMax',
  },
  STATE_VALUE_MISSING: {
    class: 'StreamError',
    meaning: 'null or undefined was added to a list',
    hint: 'a list holds values; leave the element out, or keep it in a value of its own',
  },
  STATE_FULL: {
    class: 'StreamError',
    meaning: 'an operator holds as many keys as its limit allows',
    hint: 'let state expire, use a backend for more state than memory, or raise limits.rowsMax',
  },
  // --- one checkpoint failed; the stream goes on
  CHECKPOINT_TIMED_OUT: {
    class: 'CheckpointError',
    meaning: 'a checkpoint was not acknowledged by all in time',
    hint: 'the operators named did not see the barrier or are still writing: look for an rxjs operator that drops or delays elements, a slow sink or a slow disk',
  },
  CHECKPOINT_DECLINED: { class: 'CheckpointError', meaning: 'a participant could not take its snapshot', hint: 'the cause tells what failed' },
  CHECKPOINT_BEFORE_FAILED: {
    class: 'CheckpointError',
    meaning: 'a checkpoint was given up because the one before it, on which it builds, was',
    hint: 'the cause tells what failed; what was in it is in the next one',
  },
  CHECKPOINT_CANCELLED: {
    class: 'CheckpointError',
    meaning: 'the run ended while a checkpoint was under way',
    hint: 'the checkpoint before it is intact',
  },
  ALIGNMENT_BUFFER_FULL: {
    class: 'CheckpointError',
    meaning: 'more elements were held back, or stored in flight, until all inputs had delivered a barrier than the limit allows',
    hint: 'one input delivers its barrier much later than another; raise limits.heldElementsMax or remove what delays it',
  },
  UNCONFIRMED_COMMITS_FULL: {
    class: 'CheckpointError',
    meaning: 'too many decided transactions wait for their sink',
    hint: 'the sink named does not confirm its commits; see limits.unconfirmedCommitsMax',
  },
  STATE_MUTATED: {
    class: 'CheckpointError',
    meaning: 'a state value was changed in place after it was returned',
    hint: 'state is immutable: return a new value from the step',
  },
  CHECKPOINTS_FAILING: {
    class: 'CheckpointError',
    meaning: 'more checkpoints in a row failed than are tolerated',
    hint: 'the cause is the last failure; see checkpoints.tolerableFailures',
  },
  CHECKPOINTS_KEPT: {
    class: 'CheckpointError',
    meaning: 'a job was cancelled, and its checkpoints, which were to be deleted, are still there',
    hint: 'the next start goes on from the newest one; cancel that run, or remove what the storage has of the job',
  },
  // --- a storage failed
  BACKEND_NOT_OPEN: {
    class: 'BackendError',
    meaning: 'a storage was used before it was opened or after it was closed',
    hint: 'open the session first, and use none after close',
  },
  BACKEND_IN_USE: {
    class: 'BackendError',
    meaning: 'another run, in this process or in another tab, uses this storage',
    hint: 'a second subscription while one runs would be a second writer: share() the job, or wait until the first has ended, as retry({ delay }) does',
  },
  BACKEND_FENCED: {
    class: 'BackendError',
    meaning: 'another process has taken over this storage',
    hint: 'only the newest run may publish checkpoints; this one has to stop',
  },
  BACKEND_IO: { class: 'BackendError', meaning: 'reading or writing a storage failed', hint: 'the cause has the system error' },
  BACKEND_FULL: {
    class: 'BackendError',
    meaning: 'a storage has no room left',
    hint: 'free space; the last complete checkpoint is intact and the next one is tried again',
  },
  BACKEND_NOT_OWNED: {
    class: 'BackendError',
    meaning: 'a directory does not belong to this job, or others may write to it',
    hint: 'give each job a directory of its own, writable by its user only',
  },
  BACKEND_REFUSED: {
    class: 'BackendError',
    meaning: 'a database refuses what a storage asks for: there is no such database, role, right or table',
    hint: 'the cause tells which; for a role that may not make tables, run what postgresTables({ role }) returns',
  },
  JOB_SERVER_AWAY: {
    class: 'BackendError',
    meaning: 'no job server answers at the address',
    hint: 'the job makes one with jobServer(run, { token, port }); the address is its url',
  },
  JOB_SERVER_REFUSED: {
    class: 'BackendError',
    meaning: 'a job server does not answer whoever asks so',
    hint: 'give the token that the server was made with (401); ask under a name that is among its allowedHosts (421)',
  },
  JOB_SERVER_OTHER: {
    class: 'BackendError',
    meaning: 'what answers at the address is no job server',
    hint: 'the address is the url of a jobServer, with the path of a proxy before it where there is one',
  },
  SNAPSHOT_CORRUPT: {
    class: 'BackendError',
    meaning: 'stored bytes are not what was written',
    hint: 'the file named is damaged: restore it from a backup, or start from another checkpoint explicitly',
  },
  FORMAT_NEWER: {
    class: 'BackendError',
    meaning: 'stored bytes were written by a newer release',
    hint: 'run the release that wrote them, or a later one',
  },
  KEY_MISSING: {
    class: 'BackendError',
    meaning: 'stored bytes are sealed with a key that is not listed',
    hint: 'list the key named under encryption.keys; a key can go when nothing that is kept is sealed with it any more',
  },
  KEY_WRONG: {
    class: 'BackendError',
    meaning: 'the key that is listed is not the one that sealed the stored bytes, though it has its id',
    hint: 'list the right key under this id; an id names one key for ever, so a new key gets a new one',
  },
  FILE_NOT_SEALED: {
    class: 'BackendError',
    meaning: 'a stored file or row is not sealed, though all are to be',
    hint: 'if you have just begun to encrypt: for a directory pass encryption.readsPlain until a later merge has sealed what was there, and let any other storage begin empty, with restore.from; else somebody has put it there',
  },
  // --- recovery could not go on
  STATE_UNCLAIMED: {
    class: 'RestoreError',
    meaning: 'the checkpoint has state of an operator that the program does not have',
    hint: 'bring the operator back under its uid, or start from another storage',
  },
  STATE_VERSION_UNSUPPORTED: {
    class: 'RestoreError',
    meaning: 'stored state has a version that the codec cannot read',
    hint: 'give the codec a migration from that version',
  },
  CODEC_MISMATCH: {
    class: 'RestoreError',
    meaning: 'stored state does not decode with the codec of the program',
    hint: 'the stored value has another shape: give the codec a new version with a migration',
  },
  SAVEPOINT_MISSING: {
    class: 'RestoreError',
    meaning: 'a storage to begin with has no checkpoint of the job',
    hint: 'check where it leads, and whether the job had another name then (restore.fromJob)',
  },
  SAVEPOINT_EXISTS: {
    class: 'RestoreError',
    meaning: 'a savepoint is to be written where the job has a checkpoint already',
    hint: 'give each savepoint a storage of its own, such as an empty folder; nothing was overwritten',
  },
  SAVEPOINT_INCOMPLETE: {
    class: 'RestoreError',
    meaning: 'the savepoints are not those of all instances of one run',
    hint: 'name the savepoint of each instance once in restore.from',
  },
  STATE_MISSING: {
    class: 'RestoreError',
    meaning: 'a checkpoint has nothing of that name',
    hint: 'choose one of those named; uids are case-sensitive',
  },
  CHECKPOINT_MISSING: {
    class: 'RestoreError',
    meaning: 'the checkpoint to begin with is not among those that are retained',
    hint: 'choose one of those named, or a savepoint; the storage decides how many are retained',
  },
  CUTS_DIFFER: {
    class: 'RestoreError',
    meaning: 'instances had read their inputs up to different places',
    hint: 'stop all instances at one place: at the end of the input, or with stop({ savepoint, at })',
  },
  TRANSACTIONS_PENDING: {
    class: 'RestoreError',
    meaning: 'a savepoint of one of several instances has transactions that are not committed',
    hint: 'a job goes on in another number of instances from savepoints that were made by stopping: stop({ savepoint })',
  },
  INSTANCE_CHANGED: {
    class: 'RestoreError',
    meaning: 'the checkpoint is of another instance of the job',
    hint: 'give each instance a storage of its own; to go on in another number of instances, begin with savepoints (restore.from) and empty storages',
  },
  MAX_PARALLELISM_CHANGED: {
    class: 'RestoreError',
    meaning: 'the job has another number of key groups than its checkpoint',
    hint: 'leave maxParallelism as it was, or leave it out: then the checkpoint decides',
  },
  STATE_NOT_SPLIT: {
    class: 'RestoreError',
    meaning: 'what the instances of an operator had cannot be put together',
    hint: 'take an aligned savepoint, with the same program in all instances',
  },
  STATE_KIND_CHANGED: {
    class: 'RestoreError',
    meaning: 'a uid names another kind of participant than in the checkpoint',
    hint: 'give the new operator a uid of its own',
  },
  SINK_AHEAD: {
    class: 'RestoreError',
    meaning: 'a sink has committed more than the restored checkpoint knows',
    hint: 'starting from here would write records again; restore the newest checkpoint, point the sink elsewhere, or allow it with restore: { allowSinkAhead: true }',
  },
  SOURCE_OFFSET_GONE: {
    class: 'RestoreError',
    meaning: 'the source no longer has the data at the stored offset',
    hint: 'bring the data back, or choose onOffsetGone: "earliest" for that source',
  },
  SOURCE_OFFSET_AHEAD: {
    class: 'RestoreError',
    meaning: 'the stored offset lies beyond the end of the source',
    hint: 'the data was truncated or replaced: bring it back, or choose onOffsetGone: "earliest" for that source',
  },
  // --- a source or a sink failed while running
  SOURCE_IO: { class: 'SourceError', meaning: 'reading a source failed', hint: 'the cause has the system error' },
  RECORD_MALFORMED: {
    class: 'SourceError',
    meaning: 'a record of a source cannot be decoded',
    hint: 'give the source a deadLetters side output to go on without it',
  },
  RECORD_TOO_LONG: {
    class: 'SourceError',
    meaning: 'a record of a source is longer than the limit',
    hint: 'raise lineBytesMax or recordBytesMax of the source',
  },
  SOURCE_FILE_TRUNCATED: {
    class: 'SourceError',
    meaning: 'a file became shorter than what was read of it',
    hint: 'rotate files by renaming them, or choose onTruncated: "copied" where a log is copied before it is truncated',
  },
  SOURCE_FILE_CHANGED: {
    class: 'SourceError',
    meaning: 'a file was changed, other than by growing, while it was read',
    hint: 'only append to files that are read; where they are renamed when they rotate, choose order: "numbered" or "dated"',
  },
  SOURCE_FILE_DAMAGED: {
    class: 'SourceError',
    meaning: 'a compressed file cannot be decompressed, or ends in the middle',
    hint: 'bring the whole file back; one that is still being written needs follow: true',
  },
  SOURCE_FILE_LATE: {
    class: 'SourceError',
    meaning: 'a file appeared that comes before one that is read already',
    hint: 'give new files names that sort behind the others; take this one away to go on without it',
  },
  SOURCE_FILES_UNORDERED: {
    class: 'SourceError',
    meaning: 'two files match of which none is older',
    hint: 'narrow the path to the files of one log, or choose another order',
  },
  SOURCE_REFUSED: {
    class: 'SourceError',
    meaning: 'a source answered in a way that asking again does not mend',
    hint: 'the status tells why: mend the address, the credentials or the request',
  },
  SINK_REFUSED: {
    class: 'SinkError',
    meaning: 'the target of a sink refuses a record for good',
    hint: 'mend the record, the address or the credentials; a webhookSink can hand what is refused to its refused(...)',
  },
  SINK_IO: { class: 'SinkError', meaning: 'writing to a sink failed', hint: 'the cause has the system error' },
  SINK_SHARED: { class: 'SinkError', meaning: 'the target of a sink belongs to another job or sink', hint: 'give each sink a target of its own' },
  BUCKET_INVALID: {
    class: 'SinkError',
    meaning: 'the bucket of a record is no folder below the directory of its sink',
    hint: 'return names joined by "/", without a dot or a slash at the beginning; "" is the directory itself',
  },
  SINK_FENCED: {
    class: 'SinkError',
    meaning: 'a newer run has taken over the target of a sink',
    hint: 'only the newest run may write; this one has to stop',
  },
  TRANSACTION_LOST: {
    class: 'SinkError',
    meaning: 'a transaction that was decided is neither pending nor committed at its sink',
    hint: 'somebody removed it: its records are missing from the output until they are replayed from an older checkpoint',
  },
  TRANSACTION_DAMAGED: {
    class: 'SinkError',
    meaning: 'a transaction that was decided is not what was written',
    hint: 'the file named was changed or damaged: restore it from a backup, or replay its records from an older checkpoint',
  },
} as const satisfies { readonly [code: string]: { readonly class: ErrorClass; readonly meaning: string; readonly hint: string } }

export type ErrorClass = 'ConfigurationError' | 'StreamError' | 'CheckpointError' | 'BackendError' | 'RestoreError' | 'SourceError' | 'SinkError'
export type ErrorCode = keyof typeof errorTable
/** The codes of one class of errors. */
export type CodeOf<C extends ErrorClass> = { [K in ErrorCode]: (typeof errorTable)[K]['class'] extends C ? K : never }[ErrorCode]

/** Who, where, found and expected. Never values of state: they may be private. */
export interface ErrorDetails {
  readonly [name: string]: unknown
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : String(value)

/** The base of all errors with a code. */
export abstract class RxweirError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly hint: string

  protected constructor(code: ErrorCode, details: ErrorDetails, options?: { readonly cause?: unknown }) {
    const { meaning, hint } = errorTable[code]
    const found = Object.entries(details).map(([name, value]) => `${name}: ${shown(value)}`)
    super(`${code}: ${meaning}${found.length > 0 ? ` (${found.join(', ')})` : ''}. Hint: ${hint}`, options)
    this.code = code
    this.details = details
    this.hint = hint
  }
}

/** The pipeline is assembled wrongly: the caller mends it. */
export class ConfigurationError extends RxweirError {
  override readonly name = 'ConfigurationError'
  declare readonly code: CodeOf<'ConfigurationError'>
  constructor(code: CodeOf<'ConfigurationError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** An element stream broke the protocol; the run ends before anything wrong is committed. */
export class StreamError extends RxweirError {
  override readonly name = 'StreamError'
  declare readonly code: CodeOf<'StreamError'>
  constructor(code: CodeOf<'StreamError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** One checkpoint failed. The stream goes on; an event reports it. */
export class CheckpointError extends RxweirError {
  override readonly name = 'CheckpointError'
  declare readonly code: CodeOf<'CheckpointError'>
  constructor(code: CodeOf<'CheckpointError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** A storage failed. */
export class BackendError extends RxweirError {
  override readonly name = 'BackendError'
  declare readonly code: CodeOf<'BackendError'>
  constructor(code: CodeOf<'BackendError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** Recovery ends before the first record flows. */
export class RestoreError extends RxweirError {
  override readonly name = 'RestoreError'
  declare readonly code: CodeOf<'RestoreError'>
  constructor(code: CodeOf<'RestoreError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** A source failed while it was read. */
export class SourceError extends RxweirError {
  override readonly name = 'SourceError'
  declare readonly code: CodeOf<'SourceError'>
  constructor(code: CodeOf<'SourceError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** A sink failed. */
export class SinkError extends RxweirError {
  override readonly name = 'SinkError'
  declare readonly code: CodeOf<'SinkError'>
  constructor(code: CodeOf<'SinkError'>, details: ErrorDetails = {}, options?: { readonly cause?: unknown }) {
    super(code, details, options)
  }
}

/** A mistake of ours. Never caught; the checks stay on in production. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** Asserts what must be. The message says what holds, as a sentence. */
export function invariant(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new InvariantViolation(`it does not hold that ${sentence}. This is a bug in rxweir`)
}

/** Lets the compiler prove that every kind was handled. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unexpected value ${String(value)}`)
}

/** Recognises an rxweir error of either module format (two copies of the module may be loaded). */
export const hasCode = (error: unknown, code: ErrorCode): boolean => error instanceof Error && (error as { code?: unknown }).code === code
