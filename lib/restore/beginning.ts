/**
 * Where a run begins: finds the checkpoint, fences every earlier writer and, where state comes from elsewhere or under other names, writes
 * it into the job's own storage before anything is restored.
 *
 * **Invariants** Until the storage is taken over nothing is written. What is moved is one whole checkpoint, published in one step: a run
 * that dies before begins again with what was there, and one that dies afterwards with the newest checkpoint, as always.
 *
 * **Fault model** Somebody may publish between the look and the takeover; the process may die anywhere.
 */
import { option } from 'fp-ts'
import { bodyToStore, readBody } from '../checkpointBody.js'
import { hasCode, invariant, RestoreError } from '../errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch, type JobName } from '../identity.js'
import type { InstanceShare } from '../instanceShare.js'
import type { CheckpointSession, CheckpointStorage, StoredCheckpoint } from '../ports/checkpointStorage.js'
import { unwrap } from '../task.js'
import { MovedRows } from './movedRows.js'
import type { Part, Program } from './restored.js'
import type { RestoreChoice } from './restoreOptions.js'
import { planRestore, type RestorePlan } from './restorePlan.js'

/** So often somebody may publish while a run is about to take over. An earlier run that publishes all the time wins a few of these races, not all. */
const attemptsMax = 100

export interface BeginningHost {
  readonly job: JobName
  readonly session: CheckpointSession
  readonly choice: RestoreChoice
  readonly share: InstanceShare
  readonly program: Program
  /** Throws where the run is over. */
  goOn(): void
}

/** The checkpoint to restore, in the job's own storage and under the program's names. */
export interface Restorable {
  readonly stored: StoredCheckpoint
  readonly body: RestorePlan['body']
}

interface Found {
  /** The newest of the own storage. */
  readonly latest: option.Option<StoredCheckpoint>
  readonly parts: readonly Part[]
  readonly foreign: boolean
  /** What was asked for once is marked as done in the checkpoints from here on. */
  readonly mark: { readonly checkpoint?: number } | undefined
}

export class Beginning {
  private readonly savepoints: CheckpointSession[] = []
  private held: CheckpointId | undefined
  private found: Found | undefined
  private plan: RestorePlan | undefined

  constructor(private readonly host: BeginningHost) {}

  /** The checkpoint, or savepoints, to begin with; undefined on a first start. */
  async choose(): Promise<RestorePlan | undefined> {
    this.found = await this.find()
    const { parts, foreign } = this.found
    const { program, choice, share } = this.host
    this.plan = parts.length === 0 ? undefined : planRestore(parts, { program, choice, share, foreign })
    return this.plan
  }

  /** Chooses the checkpoint and takes over. Nothing of it is written elsewhere yet: sinks may still refuse it. */
  async takeOver(): Promise<{ readonly epoch: Epoch; readonly cut: number | undefined }> {
    for (let attempt = 1; ; attempt++) {
      const plan = await this.choose()
      const { latest, parts } = this.found as Found
      this.host.goOn()
      const above = Math.max(0, ...parts.map(({ stored }) => stored.epoch))
      try {
        return { epoch: await unwrap(this.host.session.takeOver(latest, epoch(above))), cut: plan?.cut }
      } catch (error) {
        if (attempt >= attemptsMax || !hasCode(error, 'BACKEND_FENCED')) throw error
      }
    }
  }

  /** The checkpoint to restore; written anew first, where it lies elsewhere or has other names. */
  async restorable(): Promise<Restorable | undefined> {
    const { plan, found } = this
    if (plan === undefined || found === undefined) return undefined
    if (!plan.moves) return { stored: (plan.parts[0] as Part).stored, body: plan.body }
    const { session, program, share } = this.host
    const newest = option.isSome(found.latest) ? found.latest.value.checkpointId : 0
    const id = checkpointId(newest === 0 ? plan.cut : newest + 1)
    const { restored = {} } = plan.body
    const body = {
      ...plan.body,
      ...(newest === 0 ? {} : { cut: plan.cut }),
      ...(found.mark === undefined && Object.keys(restored).length === 0 ? {} : { restored: { ...restored, ...found.mark } }),
    }
    const writer = session.begin(id, { whole: true })
    try {
      await new MovedRows(plan, program, share, writer).write()
      this.host.goOn()
      await unwrap(writer.publish(bodyToStore(body)))
    } catch (error) {
      await writer.abort()()
      throw error
    }
    this.letGo()
    this.held = id
    const moved = await unwrap(session.hold(id))
    invariant(option.isSome(moved), 'what was published is retained')
    return { stored: moved.value, body }
  }

  /** Everything has been read. */
  async close(): Promise<void> {
    this.letGo()
    await Promise.allSettled(this.savepoints.splice(0).map((savepoint) => savepoint.close()()))
  }

  private letGo(): void {
    if (this.held !== undefined) this.host.session.letGo(this.held)
    this.held = undefined
  }

  private async find(): Promise<Found> {
    for (let attempt = 1; ; attempt++) {
      await this.close()
      const { session, choice } = this.host
      const latest = await unwrap(session.latest())
      if (option.isNone(latest)) {
        const parts: Part[] = []
        // One behind the other: where one cannot be opened, none is still on its way when all are closed.
        for (const from of choice.from) parts.push(await this.open(from))
        return { latest, parts, foreign: true, mark: undefined }
      }
      const newest = partOf(latest.value)
      const { checkpoint } = choice
      if (checkpoint === undefined || checkpoint === latest.value.checkpointId || newest.body.restored?.checkpoint === checkpoint)
        return { latest, parts: [newest], foreign: false, mark: undefined }
      this.held = checkpointId(checkpoint)
      const older = await unwrap(session.hold(this.held))
      if (option.isSome(older)) return { latest, parts: [partOf(older.value)], foreign: true, mark: { checkpoint } }
      const missing = new RestoreError('CHECKPOINT_MISSING', { checkpointId: checkpoint, retained: session.retained() })
      // It may have gone since the look, with a checkpoint of somebody who has been there already.
      const now = await unwrap(session.latest())
      if (attempt >= attemptsMax || (option.isSome(now) && now.value.checkpointId === latest.value.checkpointId)) throw missing
    }
  }

  private async open(from: CheckpointStorage): Promise<Part> {
    const job = this.host.choice.fromJob ?? this.host.job
    const savepoint = await unwrap(from.open(job, { readOnly: true }))
    this.savepoints.push(savepoint)
    const latest = await unwrap(savepoint.latest())
    if (option.isNone(latest)) throw new RestoreError('SAVEPOINT_MISSING', { job, storage: from.manifest.name })
    return partOf(latest.value)
  }
}

const partOf = (stored: StoredCheckpoint): Part => ({ stored, body: readBody(stored.body) })
