import type { Key } from '../../../lib/key.js'
import { KeyedOperatorState } from '../../../lib/keyedOperator.js'
import type { MachineContext } from '../../../lib/machine.js'
import { operate } from '../../../lib/operate.js'
import type { StateDescriptors } from '../../../lib/state/descriptor.js'
import type { RowStore } from '../../../lib/state/rowStore.js'
import type { KeptState } from '../../../lib/state/stateHost.js'
import type { TimeDomain } from '../../../lib/state/timers.js'
import { spanName, windowOfSpan } from '../../../lib/window/sessions.js'
import { type TimeWindow, timeWindow } from '../../../lib/window/timeWindow.js'
import { clearTrigger, type Decision, type MergeContext, type Trigger } from '../../../lib/window/trigger.js'
import { keyBy } from '../../../operators/keyBy.js'
import { Harness } from '../harness.js'
import { type Case, type Fields, plainValue, recordTime, text, unknown, watermarkTime } from '../model.js'
import { equal, play } from '../play.js'
import { triggerOf } from '../windows.js'
import { asked } from './watermarkValve.js'

const named: { readonly [decision in Decision]: string } = { continue: 'CONTINUE', fire: 'FIRE', purge: 'PURGE', fireAndPurge: 'FIRE_AND_PURGE' }
const windowOf = ([start, end]: readonly [number, number]): TimeWindow => timeWindow(start, end)

/** A trigger by itself, over windows that the case names. */
class TriggerUnderTest {
  state!: KeyedOperatorState<StateDescriptors>
  stateTables: RowStore<unknown>[] = []
  firings: unknown[] = []
  private seen!: MergeContext<StateDescriptors>
  private merging: readonly Key[] = []
  readonly harness: Harness

  constructor(readonly trigger: Trigger<any, any>) {
    this.harness = new Harness({
      inputs: 1,
      build: ([input]) =>
        operate<unknown, unknown>({ name: 'trigger', uid: 'trigger', keyed: true, create: (context) => this.create(context as never) })(
          (input as any).pipe(keyBy(() => 'key')),
        ) as never,
    })
  }

  element(value: unknown, timestamp: number | undefined, window: TimeWindow): string {
    this.enter(window)
    return named[this.trigger.onElement(value, timestamp, window, this.seen)]
  }

  clear(window: TimeWindow): void {
    this.enter(window)
    clearTrigger(this.trigger, window, this.seen)
  }

  merge(target: TimeWindow, sources: readonly TimeWindow[]): void {
    this.enter(target)
    this.merging = sources.map(spanName)
    this.trigger.onMerge?.(target, this.seen)
    for (const source of sources) this.clear(source)
  }

  private enter(window: TimeWindow): void {
    this.state.enter('key', undefined)
    this.state.scope.namespace = spanName(window)
  }

  private create(context: MachineContext<never>) {
    const tables: RowStore<unknown>[] = []
    const kept = <T>(table: T): T => {
      tables.push(table as RowStore<unknown>)
      return table
    }
    const watched: MachineContext<never> = {
      ...context,
      rows: (options) => kept(context.rows(options)),
      entries: (options) => kept(context.entries(options)),
    }
    this.state = new KeyedOperatorState(watched, this.trigger.state ?? {}, (domain, at, name) => this.onTimer(domain, at, name as string), {
      prefix: 'trigger.',
      namespaced: true,
    })
    this.stateTables = tables.filter(({ options }) => options.state !== 'timer')
    const mergeState = (name: string): void =>
      (this.state.handles[name] as unknown as KeptState).mergeInto?.(this.state.scope.namespace as Key, this.merging)
    this.seen = { state: this.state.handles, timers: this.state.timers, mergeState }
    return { open: () => this.state.open(), processRecord() {}, processWatermark: (timestampMs: number) => this.state.advance(timestampMs) }
  }

  private onTimer(domain: TimeDomain, at: number, name: string): void {
    const window = windowOfSpan(name)
    const decision =
      (domain === 'event' ? this.trigger.onEventTime?.(at, window, this.seen) : this.trigger.onProcessingTime?.(at, window, this.seen)) ?? 'continue'
    this.firings.push([[window.start, window.end], named[decision]])
  }
}

export function triggers(golden: Case): Promise<void> {
  const under = new TriggerUnderTest(triggerOf(golden.config['trigger']))
  const { harness } = under
  let result: unknown
  return play(golden, {
    apply(event) {
      under.firings = []
      result = undefined
      switch (event['op']) {
        case 'element':
          return harness.call(() => {
            result = under.element(plainValue(event['value']), recordTime(event['ts']) ?? 0, windowOf(event['window']))
          })
        case 'clear':
          return harness.call(() => under.clear(windowOf(event['window'])))
        case 'merge':
          return harness.call(() => under.merge(windowOf(event['target']), (event['sources'] as [number, number][]).map(windowOf)))
        case 'watermark':
          return harness.watermark(watermarkTime(event['ts']))
        case 'processingTime':
          return harness.processingTime(event['to'])
        default:
          throw unknown('operation of a trigger', event['op'])
      }
    },
    take() {
      harness.takeEmitted()
      return []
    },
    answer(expected) {
      const { kind, what, window } = expected
      if (kind === 'result') return { result }
      if (kind === 'firings') {
        equal(text(expected), sorted(expected['firings']), sorted(under.firings))
        return {}
      }
      if (kind !== 'assert') return undefined
      const name = window === undefined ? undefined : spanName(windowOf(window))
      const ofWindow = ({ namespace }: Fields): boolean => name === undefined || namespace === name
      const timers = (domain: TimeDomain): number => [...under.state.timers.rows(domain)].filter(ofWindow).length
      const counts: { readonly [what: string]: () => number } = {
        triggerStateEntries: () => under.stateTables.flatMap((table) => [...table.rows()]).filter(ofWindow).length,
        eventTimeTimers: () => timers('event'),
        processingTimeTimers: () => timers('processing'),
      }
      const count = counts[what]
      if (count === undefined) throw unknown('assertion', what)
      return asked(expected, { count: count() })
    },
    close: () => harness.close(),
  })
}

/** Timers of one time fire in any order. */
const sorted = (firings: unknown): unknown[] =>
  [...(firings as unknown[])]
    .map((each) => [text(each), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, each]) => each)
