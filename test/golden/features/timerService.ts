import type { Key } from '../../../lib/key.js'
import { KeyedOperatorState } from '../../../lib/keyedOperator.js'
import { operate } from '../../../lib/operate.js'
import type { TimeDomain } from '../../../lib/state/timers.js'
import { keyBy } from '../../../operators/keyBy.js'
import { Harness, type Kept } from '../harness.js'
import { type Case, type Fields, recordTime, unknown, watermarkTime } from '../model.js'
import { type Emitted, play } from '../play.js'
import { asked } from './watermarkValve.js'

/** Timers per key and namespace, called directly. */
export function timerService(golden: Case): Promise<void> {
  const fired: Emitted[] = []
  let onFire: Fields | undefined
  let state!: KeyedOperatorState<Record<never, never>>
  const harness = new Harness({
    inputs: 1,
    build: ([input]) =>
      operate<unknown, unknown>({
        name: 'timers',
        uid: 'timers',
        keyed: true,
        create(context) {
          state = new KeyedOperatorState(context as never, {}, (domain, ts, namespace) => {
            fired.push({ kind: 'fire', domain, key: state.scope.key, namespace, ts })
            if (onFire !== undefined) register(onFire['domain'], onFire)
          })
          const made = state
          return { open: () => made.open(), processRecord() {}, processWatermark: (timestampMs) => made.advance(timestampMs) }
        },
      })((input as any).pipe(keyBy(() => 'key'))) as never,
  })
  const kept = new Map<string, Kept>()
  let key: Key = null

  const register = (domain: TimeDomain, { namespace, ts }: Fields): void => {
    state.scope.namespace = namespace
    if (domain === 'event') state.timers.eventTime(recordTime(ts) as number)
    else state.timers.processingTime(recordTime(ts) as number)
  }
  const remove = (domain: TimeDomain, { namespace, ts }: Fields): void => {
    state.scope.namespace = namespace
    if (domain === 'event') state.timers.deleteEventTime(recordTime(ts) as number)
    else state.timers.deleteProcessingTime(recordTime(ts) as number)
  }
  const withKey = (work: () => void): void =>
    harness.call(() => {
      state.enter(key, undefined)
      work()
    })
  // Some cases ask for counts only and leave out what fired.
  const firesCount = golden.expected.some(({ kind }) => kind === 'fire')
  let visited: readonly unknown[] = []

  return play(golden, {
    apply(event) {
      switch (event['op']) {
        case 'key':
          key = event['key']
          return
        case 'registerEventTimer':
          return withKey(() => register('event', event))
        case 'registerProcessingTimer':
          return withKey(() => register('processing', event))
        case 'deleteEventTimer':
          return withKey(() => remove('event', event))
        case 'deleteProcessingTimer':
          return withKey(() => remove('processing', event))
        case 'onFireRegister':
          onFire = event
          return
        case 'forEach':
          visited = [...state.timers.rows(event['domain'])].map(({ key: at, namespace, at: ts }) => [at, namespace, ts])
          return
        case 'watermark':
          return harness.watermark(watermarkTime(event['ts']))
        case 'processingTime':
          return harness.processingTime(event['to'])
        case 'snapshot':
          return void kept.set(event['ref'], harness.snapshot())
        case 'restore':
          return harness.restore(kept.get(event['from']) as Kept)
        default:
          throw unknown('operation of timers', event['op'])
      }
    },
    take() {
      harness.takeEmitted()
      return firesCount ? fired.splice(0) : []
    },
    answer(expected) {
      const { kind, domain = 'processing', byNamespace = {} } = expected
      const timers = (): unknown[] => [...state.timers.rows(domain)]
      switch (kind) {
        case 'count': {
          const of = (wanted: string): number => [...state.timers.rows(domain)].filter(({ namespace }) => namespace === wanted).length
          return asked(expected, {
            total: timers().length,
            count: state.timers.count(domain),
            byNamespace: Object.fromEntries(Object.keys(byNamespace).map((name) => [name, of(name)])),
          })
        }
        case 'physicalTimers':
          return asked(expected, { timestamps: [...harness.clock.calls].map(({ atMs }) => atMs), count: harness.clock.calls.size })
        case 'currentProcessingTime':
          return { value: state.timers.processingMs }
        case 'currentWatermark':
          return { value: state.timers.watermark }
        case 'visit':
          return { timers: golden.order === 'exact' ? visited : inOrderOf(expected['timers'], visited) }
        case 'fire':
        case 'error':
          return undefined
        default:
          throw unknown('expectation of timers', kind)
      }
    },
    close: () => harness.close(),
  })
}

/** Timers of equal times come in any order. */
function inOrderOf(expected: readonly unknown[], found: readonly unknown[]): readonly unknown[] {
  const at = (value: unknown): number => expected.findIndex((each) => JSON.stringify(each) === JSON.stringify(value))
  return [...found].sort((a, b) => at(a) - at(b))
}
