import fc from 'fast-check'
import type { Slow } from './world.js'

/** How a run is ended before its time. */
export interface Ending {
  /**
   * `kill`: the process is gone. `powerCut`: so is what was not made durable. `pause`: it stops and wakes up when another one has
   * taken over. `unsubscribe`, `stop`: in order, and the job is subscribed to again in the same process.
   */
  readonly how: 'kill' | 'powerCut' | 'pause' | 'unsubscribe' | 'stop'
  /** Counts only events whose name starts so; all of them unless told. */
  readonly at: string | undefined
  /** So many of those events happen before it. */
  readonly after: number
}

/** What may happen beside the records: how runs end, and whose calls fail. */
export type FaultKind = Ending['how'] | Exclude<Slow, 'clock'>

/** What happens in one schedule beside the records. */
export interface Plan {
  /** Decides about every order, batch and slice. */
  readonly seed: number
  /** One after the other, the later ones mostly in recovery. */
  readonly endings: readonly Ending[]
  /** How likely a call fails. */
  readonly faults: { readonly [kind in Exclude<Slow, 'clock'>]: number }
  /** So many calls fail at most. */
  readonly faultsMax: number
  readonly slow: readonly Slow[]
  readonly intervalMs: number
  /** How likely a checkpoint is asked for at each step. */
  readonly asked: number
  readonly recordsPerTurnMax: number
  readonly batchMax: number
  readonly retained: number
  readonly unconfirmedMax: number
  readonly timeoutMs: number
  /** So old does a checkpoint become before its barrier overtakes, where one is under way at a time; `Infinity` for never. */
  readonly overtakesAfterMs: number
  /** So many checkpoints are under way at a time, where the storage and the state can do it. */
  readonly concurrentMax: number
}

/** Nothing happens but the records. */
export const calm: Plan = {
  seed: 1,
  endings: [],
  faults: { storage: 0, sink: 0, source: 0 },
  faultsMax: 0,
  slow: [],
  intervalMs: Number.POSITIVE_INFINITY,
  asked: 0,
  recordsPerTurnMax: 1_000,
  batchMax: 1_000,
  retained: 1,
  unconfirmedMax: 16,
  timeoutMs: Number.POSITIVE_INFINITY,
  overtakesAfterMs: Number.POSITIVE_INFINITY,
  concurrentMax: 1,
}

/** Events at which the protocol changes hands: crashes there find more than crashes anywhere. */
export const turningPoints = [
  'checkpointStarted',
  'storage write',
  'storage publish begins',
  'storage publish ends',
  'checkpointCompleted',
  'sink preCommit begins',
  'sink preCommit ends',
  'sink commit begins',
  'sink commit ends',
  'checkpointAborted',
  'restored',
  'started',
  'storage open',
  'storage latest',
  'storage takeOver begins',
  'storage takeOver ends',
  'storage readRows',
  'sink open',
  'sink abortOthers begins',
  'sink abortOthers ends',
  'source open',
  'sourceEnded',
  'record written',
  'file',
] as const

/** Events at which state is on its way to another storage, or back: while it is copied to a savepoint, read there, and written anew. */
export const movingPoints = [
  'savepoint open',
  'savepoint latest',
  'savepoint takeOver',
  'savepoint write',
  'savepoint publish begins',
  'savepoint publish ends',
  'savepoint readRows',
  'storage hold',
  'move write',
  'move publish begins',
  'move publish ends',
] as const

/** Whether the label of an event says that state is on its way. */
export const isMoving = (label: string): boolean => movingPoints.some((point) => label.startsWith(point))

/** Where an event belongs among the points that a plan aims at, if anywhere. */
export const turningPointOf = (label: string): string | undefined => [...turningPoints, ...movingPoints].find((point) => label.startsWith(point))

const howOften: readonly (readonly [how: Ending['how'], weight: number])[] = [
  ['kill', 6],
  ['pause', 1],
  ['unsubscribe', 2],
  ['stop', 1],
]
const howOftenWithPowerCuts: typeof howOften = [['kill', 3], ['powerCut', 4], ...howOften.slice(1)]

type How = fc.Arbitrary<Ending['how']>

const endings = (how: How, moves: boolean): fc.Arbitrary<Ending> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ how, at: fc.constant(undefined), after: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 400 })) }) },
    { weight: 3, arbitrary: fc.record({ how, at: fc.constantFrom(...turningPoints), after: fc.nat({ max: 3 }) }) },
    ...(moves ? [{ weight: 3, arbitrary: fc.record({ how, at: fc.constantFrom(...movingPoints), after: fc.nat({ max: 2 }) }) }] : []),
  )

/** Where a process has something to lose, whatever it does. */
const early = ['checkpointStarted', 'storage publish', 'checkpointCompleted', 'sink commit', 'started', 'record written'] as const
/** What happens in a recovery, before anything else does. */
const recovering = ['storage latest', 'storage takeOver', 'storage readRows', 'sink open', 'sink abortOthers', 'source open'] as const
/** Processes crash in recovery at most so often one after the other. */
const deepest = 3

/** A crash, one in the recovery from it, one in the recovery from that, and again. Where the job moves, the first may be on the way. */
const nested = (how: How, moves: boolean): fc.Arbitrary<readonly Ending[]> => {
  const onTheWay = moves ? [{ weight: 5, arbitrary: fc.constantFrom<string>(...movingPoints) }] : []
  return fc
    .tuple(
      fc.record({ how, at: fc.oneof({ weight: 6, arbitrary: fc.constantFrom<string>(...early) }, ...onTheWay), after: fc.nat({ max: 2 }) }),
      fc.array(
        fc.record({
          how,
          at: fc.oneof(
            { weight: 1, arbitrary: fc.constant(undefined) },
            { weight: 5, arbitrary: fc.constantFrom<string>(...recovering) },
            ...onTheWay,
          ),
          after: fc.nat({ max: 1 }),
        }),
        {
          minLength: deepest,
          maxLength: deepest,
        },
      ),
    )
    .map(([first, others]) => [first, ...others])
}

/** One schedule in so many has crashes in recoveries all the way. */
const nestedOneIn = 5

const isCrash = (how: Ending['how']): boolean => how === 'kill' || how === 'powerCut'

type Weighted = typeof howOften

const drawn = (hows: Weighted): How => fc.oneof(...hows.map(([how, weight]) => ({ weight, arbitrary: fc.constant(how) })))

/**
 * How the runs of a schedule end. Some ways are switched off in each, so that the others follow one another: what one way hides, or
 * mends, is then seen.
 */
function someEndings(hows: Weighted, moves: boolean): fc.Arbitrary<readonly Ending[]> {
  if (hows.length === 0) return fc.constant([])
  const usual = fc
    .tuple(
      fc.array(endings(drawn(hows), moves), { maxLength: 4 }),
      fc.subarray(
        hows.map(([how]) => how),
        { minLength: 1 },
      ),
    )
    .map(([all, on]) => all.map((ending) => (on.includes(ending.how) ? ending : { ...ending, how: on[0] as Ending['how'] })))
  const crashes = hows.filter(([how]) => isCrash(how))
  if (crashes.length === 0) return usual
  return fc.oneof({ weight: nestedOneIn - 1, arbitrary: usual }, { weight: 1, arbitrary: nested(drawn(crashes), moves) })
}

const rate = fc.constantFrom(0, 0, 0, 0.02, 0.1, 0.3)

export interface PlansOptions {
  /** The surface forgets what was not made durable. */
  readonly powerCuts?: boolean | undefined
  /** What may happen; all of it unless told. */
  readonly faults?: readonly FaultKind[] | undefined
  /** The job goes on elsewhere: processes end on the way, too. Default no. */
  readonly moves?: boolean
}

/** Plans with up to four endings; each switches some ways to end and some kinds of faults off, so that the others are seen alone as well. */
export function plans({ powerCuts = false, faults, moves = false }: PlansOptions = {}): fc.Arbitrary<Plan> {
  const may = (kind: FaultKind): boolean => faults === undefined || faults.includes(kind)
  const hows = (powerCuts ? howOftenWithPowerCuts : howOften).filter(([how]) => may(how))
  const rateOf = (kind: Exclude<Slow, 'clock'>): fc.Arbitrary<number> => (may(kind) ? rate : fc.constant(0))
  return fc.record({
    seed: fc.noShrink(fc.nat({ max: 2 ** 31 - 1 })),
    endings: someEndings(hows, moves),
    faults: fc.record({ storage: rateOf('storage'), sink: rateOf('sink'), source: rateOf('source') }),
    faultsMax: fc.nat({ max: 6 }),
    slow: fc.subarray<Slow>(['storage', 'sink', 'source', 'clock'], { maxLength: 2 }),
    intervalMs: fc.constantFrom(1, 1, 5, 50, Number.POSITIVE_INFINITY),
    asked: fc.constantFrom(0, 0.01, 0.05, 0.2),
    recordsPerTurnMax: fc.integer({ min: 1, max: 4 }),
    batchMax: fc.integer({ min: 1, max: 6 }),
    retained: fc.integer({ min: 1, max: 3 }),
    unconfirmedMax: fc.constantFrom(1, 2, 16),
    timeoutMs: fc.constantFrom(Number.POSITIVE_INFINITY, 600_000),
    overtakesAfterMs: fc.constantFrom(Number.POSITIVE_INFINITY, 0, 0, 1),
    concurrentMax: fc.constantFrom(1, 1, 2, 3),
  })
}
