import { memorySink } from '../../../backends/memory/memorySink.js'
import { memorySource } from '../../../backends/memory/memorySource.js'
import { memory } from '../../../backends/memory/memoryStorage.js'
import { hasCode } from '../../../lib/errors.js'
import { storageWith } from '../../support/adversaries.js'
import { settled, testJob, watched } from '../../support/jobs.js'
import { type Case, knownOptions, Mismatch, Unsupported, unknown } from '../model.js'
import { type Emitted, play } from '../play.js'

const noPeriodicSavepoints = 'only users ask for savepoints: there are no periodic ones'
const oneNext = 'all that is asked for while a checkpoint is under way shares the next one: there is no queue that could be full'
const aloneWaits = 'a checkpoint for a savepoint is alone: it waits for those under way'
const severalUnderWay = 'here one checkpoint is under way; cases of several are those of the coordinator'
const oneSweep =
  'a storage removes what no retained checkpoint needs in one sweep, not checkpoint by checkpoint: there is no number of removals to wait for'

interface Request {
  readonly id: string
  readonly kind: string
  readonly periodic: boolean
  checkpoint: number | undefined
}

/**
 * When a job takes the checkpoints that are due or asked for. What is under way is a checkpoint whose storage takes its time, and the
 * queue is looked at when that one ends.
 */
export async function checkpointScheduling(golden: Case): Promise<void> {
  knownOptions(golden, ['maxQueued', 'maxConcurrent', 'minPause', 'pending', 'cleaning', 'lastCompletionTime'])
  refuse(golden)
  const { minPause = 0, pending = 0, lastCompletionTime = 0 } = golden.config
  // Where the last one is long ago, both pauses are over when the next is due; where it is now, only the interval is.
  const intervalMs = lastCompletionTime === 'now' ? 1 : minPause + 1
  let open: (() => void) | undefined
  let wait: Promise<void> | undefined
  const { job, clock } = testJob(
    ({ source, sink }) => source('in', memorySource<string>([], { bounded: false })).pipe(sink('out', memorySink<string>())),
    { storage: storageWith(memory(), { publish: () => wait }), checkpoints: { intervalMs, minPauseMs: minPause } },
  )
  const run = watched(job)
  const requests: Request[] = []
  const emitted: Emitted[] = []
  let seen = 0
  const begin = async (): Promise<void> => {
    wait = new Promise((resolve) => {
      open = resolve
    })
    run.checkpoint().catch(ended)
    await settled()
    seen = run.of('checkpointStarted').length
  }
  const end = async (): Promise<void> => {
    open?.()
    open = wait = undefined
    await settled()
  }
  /** Which request each checkpoint is for that has started since the last look: who asked for it, or else the clock. */
  const look = (): void => {
    for (const { checkpointId } of run.of('checkpointStarted').slice(seen)) {
      seen += 1
      const request =
        requests.find(({ checkpoint }) => checkpoint === checkpointId) ??
        requests.find(({ periodic, checkpoint }) => periodic && checkpoint === undefined)
      if (request === undefined) throw new Mismatch(`checkpoint ${checkpointId} is for nobody`)
      request.checkpoint = checkpointId
      emitted.push({ kind: 'execute', id: request.id })
    }
  }
  const ask = async ({ id, kind, periodic }: Request): Promise<void> => {
    const request: Request = { id, kind, periodic, checkpoint: undefined }
    requests.push(request)
    if (periodic) await clock.advance(intervalMs)
    else {
      const asked = kind === 'savepoint' ? run.savepoint(memory()) : run.checkpoint()
      asked
        .then((checkpoint) => {
          request.checkpoint = checkpoint
        })
        .catch(ended)
      await settled()
    }
    look()
    if (emitted.length > 0) return
    if (open !== undefined) emitted.push({ kind: 'queued', id })
    else if (periodic) {
      // Nothing else is under way, so only the pause can be in the way: with it over, the checkpoint comes.
      emitted.push({ kind: 'failed', id, reason: 'MINIMUM_TIME_BETWEEN_CHECKPOINTS' })
      await clock.advance(minPause)
      const later = run.of('checkpointStarted').slice(seen)
      if (later.length !== 1) throw new Mismatch(`behind the pause one checkpoint was to come, and there are ${later.length}`)
      request.checkpoint = later[0]?.checkpointId
      seen += 1
    }
  }
  await settled()
  if (lastCompletionTime === 'now') await run.checkpoint()
  seen = run.of('checkpointStarted').length
  if (pending > 0) await begin()
  await play(golden, {
    async apply({ op, value, id, kind, periodic }) {
      if (op === 'request') await ask({ id, kind, periodic, checkpoint: undefined })
      else if (op === 'poll') {
        await end()
        if (run.of('checkpointStarted').length === seen) await clock.advance(minPause + intervalMs)
        look()
      } else if (op === 'triggering' && value === true) await begin()
      else if (op !== 'triggering' && op !== 'setPending') throw unknown('operation of scheduling', op)
    },
    take: () => emitted.splice(0),
    close: () => run.cancel(),
  })
}

/** A run that is given up at the end of a case cancels what was asked of it. */
const ended = (error: unknown): void => {
  if (!hasCode(error, 'CHECKPOINT_CANCELLED')) throw error
}

/** What only several checkpoints at a time, or queues, have. */
function refuse({ config, input }: Case): void {
  const { maxQueued, maxConcurrent = 1, pending = 0, cleaning = 0 } = config
  const requests = input.filter(({ op }) => op === 'request')
  if (requests.some(({ kind, periodic }) => kind === 'savepoint' && periodic)) throw new Unsupported(noPeriodicSavepoints)
  if (cleaning > 0 || input.some(({ op }) => op === 'setCleaning')) throw new Unsupported(oneSweep)
  const known = requests.every(({ kind }) => ['checkpoint', 'manualCheckpoint', 'savepoint'].includes(kind))
  if (!known) throw unknown('request', requests)
  if (requests.some(({ forced }) => forced) && pending >= maxConcurrent) throw new Unsupported(aloneWaits)
  if (pending > 1 || (pending > 0 && maxConcurrent > 1)) throw new Unsupported(severalUnderWay)
  if (requests.length > maxQueued) throw new Unsupported(oneNext)
}
