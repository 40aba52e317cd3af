import { option } from 'fp-ts'
import { memory } from '../../../backends/memory/memoryStorage.js'
import { Coordinator, type CoordinatorHost } from '../../../lib/coordinator.js'
import type { JobEvent } from '../../../lib/events.js'
import { type CheckpointId, checkpointId, jobName } from '../../../lib/identity.js'
import { InstanceShare } from '../../../lib/instanceShare.js'
import type { Participant, Snapshot } from '../../../lib/run.js'
import { unwrap } from '../../../lib/task.js'
import { HandClock } from '../harness.js'
import { type Case, type Fields, Unsupported, unknown } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** Why none is subsumed here. */
const inOrder = 'a checkpoint is the difference to the one before it and completes behind it: none is subsumed by a newer one'
/** Somebody may be allowed any number. */
const concurrentMost = 100
/** Why savepoints complete here as checkpoints do. */
const savepointsAreCopies =
  'a savepoint is a checkpoint like others, one at a time, retained and committed, of which a copy is made that nobody removes'
const timeoutMs = 600_000

/** Triggering, acknowledging and giving up: checkpoints complete one after the other. */
export async function checkpointCoordinator(golden: Case): Promise<void> {
  const { tasks, tasksToAck = tasks, maxRetained = 1, maxConcurrent = 1, interval, minPause = 0 } = golden.config
  if (golden.input.some(({ op }) => op === 'triggerSavepoint')) throw new Unsupported(savepointsAreCopies)
  const session = await unwrap(memory({ retainedCheckpoints: Math.max(1, Math.min(maxRetained, 1_000)) }).open(jobName('job')))
  const epoch = await unwrap(session.takeOver(await unwrap(session.latest())))
  const clock = new HandClock()
  const names = new Map<string, CheckpointId>()
  const nameOf = (id: number): string => [...names].find(([, each]) => each === id)?.[0] ?? String(id)
  const seen = {
    pending: 0,
    triggered: 0,
    failures: 0,
    completed: [] as string[],
    disposed: [] as string[],
    discarded: [] as string[],
    notified: new Map<string, string[]>(),
  }
  const participants = new Map<string, Participant>()
  for (const uid of tasksToAck as readonly string[])
    participants.set(uid, {
      uid,
      checkpointAborted() {},
      checkpointCompleted: (id: number) => void seen.notified.set(uid, [...(seen.notified.get(uid) ?? []), nameOf(id)]),
    } as unknown as Participant)
  let started: CheckpointId | undefined
  const report = (event: JobEvent): void => {
    if (event.kind === 'checkpointStarted') {
      started = checkpointId(event.checkpointId)
      seen.triggered += 1
      seen.pending += 1
    }
    if (event.kind === 'checkpointCompleted') seen.completed.push(nameOf(event.checkpointId))
    if (event.kind === 'checkpointAborted') seen.disposed.push(nameOf(event.checkpointId))
    if (event.kind === 'checkpointCompleted' || event.kind === 'checkpointAborted') seen.pending -= 1
  }
  const host: CoordinatorHost = {
    clock,
    session,
    epoch,
    share: InstanceShare.alone(),
    restored: undefined,
    unconfirmedCommitsMax: 1,
    sources: [],
    participants,
    commits: new Map(),
    post: (work) => void work(),
    completed() {},
    report,
    fail: () => void (seen.failures += 1),
  }
  const intervalMs: number = interval ?? Number.POSITIVE_INFINITY
  const concurrentMax = Math.min(maxConcurrent, concurrentMost)
  const coordinator = new Coordinator(host, { intervalMs, minPauseMs: minPause, timeoutMs, tolerableFailures: 1_000, concurrentMax }, 0)
  coordinator.start()
  /** The state of a task: what a capture of one of its tables is told of its fate. */
  const stateOf = (name: string): Snapshot => {
    const capture = { table: 'state', rows: 0, encode: () => false, release() {}, giveBack: () => void seen.discarded.push(name) }
    return { meta: null, tables: [capture] }
  }
  const idOf = ({ id }: Fields): CheckpointId => {
    const found = names.get(String(id))
    if (found === undefined) throw unknown('checkpoint', id)
    return found
  }
  await play(golden, {
    async apply(event) {
      switch (event['op']) {
        case 'trigger': {
          coordinator.checkpoint().catch(() => {})
          names.set(event['id'], started as CheckpointId)
          return
        }
        case 'intervalElapses': {
          const before = seen.triggered
          clock.time += intervalMs
          clock.fire(clock.time)
          if (seen.triggered > before) names.set(String(seen.triggered), started as CheckpointId)
          return
        }
        case 'ack':
          coordinator.acknowledge(idOf(event), event['task'], stateOf(`${event['id']}/${event['task']}`))
          if (seen.pending > 0 && participants.size === acknowledgedBy(golden, event)) {
            await settled()
            if (seen.pending > 0 && !seen.completed.includes(nameOf(idOf(event))) && !seen.disposed.includes(nameOf(idOf(event))))
              throw new Unsupported(inOrder)
          }
          return
        case 'decline':
          return coordinator.decline(idOf(event), event['task'], new Error('declined'))
        case 'timeoutElapses':
          clock.time += timeoutMs
          return clock.fire(clock.time)
        default:
          throw unknown('operation of a coordinator', event['op'])
      }
    },
    answer: (expected) =>
      asked(expected, {
        pending: seen.pending,
        triggered: seen.triggered,
        retained: session.retained().length,
        completed: seen.completed,
        disposed: seen.disposed,
        discardedStates: seen.discarded,
        notifiedComplete: Array.isArray(expected['notifiedComplete'])
          ? [...(seen.notified.values().next().value ?? [])]
          : Object.fromEntries(seen.notified),
      }),
  })
  await coordinator.close()
  await session.close()()
}

/** Publishing takes a while. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** How many tasks have acknowledged a checkpoint, up to an event. */
const acknowledgedBy = ({ input }: Case, event: Fields): number =>
  new Set(input.slice(0, input.indexOf(event) + 1).flatMap(({ op, id, task }) => (op === 'ack' && id === event['id'] ? [task] : []))).size

/** The checkpoints that a storage keeps. Their ids begin with 1 here. */
export async function completedCheckpointStore(golden: Case): Promise<void> {
  const session = await unwrap(memory({ retainedCheckpoints: golden.config['maxRetained'] }).open(jobName('job')))
  await unwrap(session.takeOver(await unwrap(session.latest())))
  let latest: number | undefined
  await play(golden, {
    async apply({ op, id }) {
      if (op !== 'add') throw unknown('operation of a checkpoint store', op)
      await unwrap(session.begin(checkpointId(id + 1)).publish(null))
      latest = option.toUndefined(await unwrap(session.latest()))?.checkpointId
    },
    answer: (expected) => asked(expected, { retained: session.retained().map((id) => id - 1), latest: (latest ?? 0) - 1 }),
  })
  await session.close()()
}
