import { ConfigurationError } from '../errors.js'
import { type JobName, jobName, operatorUid } from '../identity.js'
import { atLeast } from '../limits.js'
import type { CheckpointStorage } from '../ports/checkpointStorage.js'

/** Where a job begins, when it is not simply the newest checkpoint of its own storage. */
export interface RestoreOptions {
  /** Start although a sink has committed more than the checkpoint knows: what lies between is written a second time. Default no. */
  readonly allowSinkAhead?: boolean
  /**
   * The savepoint to begin with while the job's own storage has no checkpoint; afterwards it is not looked at. It stays as it is. Of a
   * job that ran in several instances, the savepoints of all of them.
   */
  readonly from?: CheckpointStorage | readonly CheckpointStorage[]
  /** The name that the job of the savepoint had. Default: the name of this one. */
  readonly fromJob?: string
  /** Begin once with this checkpoint of the job's own storage instead of the newest. It has to be among those that are retained. */
  readonly checkpoint?: number
  /** Leave out what belonged to operators that the program does not have any more, instead of refusing to start. Default no. */
  readonly allowNonRestoredState?: boolean
  /** New uids by old ones: of operators, sources and sinks that were given another name. */
  readonly renamed?: { readonly [uid: string]: string }
  /** Begin once without what these operators had. */
  readonly without?: readonly string[]
}

/** {@link RestoreOptions}, checked. */
export interface RestoreChoice {
  readonly allowSinkAhead: boolean
  readonly from: readonly CheckpointStorage[]
  readonly fromJob: JobName | undefined
  readonly checkpoint: number | undefined
  readonly allowNonRestoredState: boolean
  readonly renamed: ReadonlyMap<string, string>
  readonly without: ReadonlySet<string>
}

export function restoreChoiceOf(options: RestoreOptions = {}): RestoreChoice {
  const { from = [], fromJob, checkpoint, renamed = {}, without = [] } = options
  if (checkpoint !== undefined) atLeast('restore.checkpoint', checkpoint, 1)
  const names = new Map(Object.entries(renamed).map(([old, uid]) => [operatorUid(old), operatorUid(uid)] as const))
  if (new Set(names.values()).size !== names.size)
    throw new ConfigurationError('OPTION_INVALID', { option: 'restore.renamed', found: renamed, expected: 'a name of its own for each uid' })
  return {
    allowSinkAhead: options.allowSinkAhead === true,
    from: 'open' in from ? [from] : from,
    fromJob: fromJob === undefined ? undefined : jobName(fromJob),
    checkpoint,
    allowNonRestoredState: options.allowNonRestoredState === true,
    renamed: names,
    without: new Set(without.map((uid) => operatorUid(uid))),
  }
}
