import { barrierRules } from './barrierRules.js'
import { type Clock, systemClock } from './clock.js'
import { checkConcurrent } from './concurrentCheckpoints.js'
import type { CheckpointOptions } from './coordinator.js'
import { isDevelopment } from './development.js'
import { ConfigurationError } from './errors.js'
import { jobName } from './identity.js'
import { type JobInstance, shareOf } from './instanceShare.js'
import type { RunOptions } from './jobRun.js'
import { atLeast, type Limits, limitsOf } from './limits.js'
import type { OnCancel } from './onCancel.js'
import { defaultPacing, type Pacing } from './pacing.js'
import type { CheckpointStorage } from './ports/checkpointStorage.js'
import type { StateBackend } from './ports/stateBackend.js'
import { type RestoreOptions, restoreChoiceOf } from './restore/restoreOptions.js'
import { heap } from './state/heap.js'

export interface JobCheckpointOptions extends CheckpointOptions {
  /**
   * What becomes of the checkpoints when the job is cancelled by `run.cancel()`: `retain` (default), and the next start goes on from the newest; or `delete`,
   * once everything that was decided is committed, and the next start begins anew. Whatever else ends a run, a failure, `stop`, the end of the input,
   * a subscriber that lets go or the death of the process, retains them.
   */
  readonly onCancel?: OnCancel
}

export interface JobOptions {
  /** Where completed checkpoints go. */
  readonly storage: CheckpointStorage
  readonly checkpoints?: JobCheckpointOptions
  /** Where live rows stay between two checkpoints; default the {@link heap}. */
  readonly state?: StateBackend
  /** Where it begins, when that is not simply the newest checkpoint of its storage. */
  readonly restore?: RestoreOptions
  /**
   * This process is one of several that run the job, each for the keys that it owns. Each has a storage of its own and the whole input:
   * what stands before `keyBy` every one of them does, and a sink there writes in the first. Default: the only one.
   */
  readonly instance?: JobInstance
  /** The number of key groups, and the most instances there can be: 1 to 32,768, fixed with the first checkpoint. Default 128, more for many instances. */
  readonly maxParallelism?: number
  readonly limits?: Partial<Limits>
  /** What time is it; default the machine's. */
  readonly clock?: Clock
  /** How much is done at once; a simulation draws it from its seed. */
  readonly pacing?: Partial<Pacing>
  /** Whether state values are frozen and compared, to find a step that changes them in place. Default: unless `NODE_ENV` is `production`. */
  readonly development?: boolean
}

/** Checks the options of a job, and fills in what was left out. Throws a `ConfigurationError` `NAME_INVALID` or `OPTION_INVALID`. */
export function runOptionsOf(name: string, options: JobOptions): RunOptions {
  shareOf(options.instance, options.maxParallelism)
  const { state = heap() } = options
  return {
    name: jobName(name),
    limits: limitsOf(options.limits),
    checkpoints: checkedCheckpoints(options.checkpoints ?? {}, { storage: options.storage, state }),
    onCancel: onCancelOf(name, options),
    storage: options.storage,
    state,
    clock: options.clock ?? systemClock,
    pacing: { ...defaultPacing, ...options.pacing },
    development: options.development ?? isDevelopment(),
    restore: restoreChoiceOf(options.restore),
    instance: options.instance,
    maxParallelism: options.maxParallelism,
  }
}

function onCancelOf(job: string, { checkpoints: { onCancel = 'retain' } = {}, storage }: JobOptions): OnCancel {
  if (onCancel !== 'retain' && onCancel !== 'delete')
    throw new ConfigurationError('OPTION_INVALID', { option: 'checkpoints.onCancel', found: onCancel, expected: ['retain', 'delete'] })
  if (onCancel === 'delete' && storage.manifest.discards !== true)
    throw new ConfigurationError('STORAGE_WITHOUT_DISCARD', { job, storage: storage.manifest.name })
  return onCancel
}

function checkedCheckpoints(options: CheckpointOptions, places: Parameters<typeof checkConcurrent>[1]): CheckpointOptions {
  if (options.intervalMs !== undefined) atLeast('checkpoints.intervalMs', options.intervalMs, 1)
  if (options.minPauseMs !== undefined) atLeast('checkpoints.minPauseMs', options.minPauseMs, 0)
  if (options.timeoutMs !== undefined) atLeast('checkpoints.timeoutMs', options.timeoutMs, 1)
  if (options.tolerableFailures !== undefined) atLeast('checkpoints.tolerableFailures', options.tolerableFailures, 0)
  barrierRules(options)
  checkConcurrent(options, places)
  return options
}
