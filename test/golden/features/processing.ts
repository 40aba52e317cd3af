import { KeyedOperatorState } from '../../../lib/keyedOperator.js'
import type { MachineContext } from '../../../lib/machine.js'
import { operate } from '../../../lib/operate.js'
import { sideOutput } from '../../../lib/sideOutput.js'
import type { TimeDomain } from '../../../lib/state/timers.js'
import { connectBroadcast } from '../../../operators/connectBroadcast.js'
import { connectKeyed } from '../../../operators/connectKeyed.js'
import { keyBy } from '../../../operators/keyBy.js'
import { processKeyed } from '../../../operators/processKeyed.js'
import { type Seen, type UserFunction, userFunction } from '../functions.js'
import type { Elements } from '../harness.js'
import { type Case, type Fields, Unsupported, unknown } from '../model.js'
import type { Emitted } from '../play.js'
import { rescaled } from '../rescaled.js'
import { keyOf, stream, tagsOf } from '../streaming.js'

type Make = (
  fn: UserFunction,
  golden: Case,
  tell: Seen['tell'],
) => { readonly inputs: number; build(inputs: readonly Elements[], ownKey?: string): Elements }

const named = (tag: unknown) => (typeof tag === 'string' ? sideOutput<any>(tag) : (tag as never))

/** A context of an operator, as functions of cases see it. */
const seenBy = (context: any, tell: Seen['tell']): Seen => ({
  get key() {
    return context.key
  },
  state: context.state,
  broadcast: context.broadcast,
  get timestamp() {
    return context.timestamp
  },
  get watermark() {
    return context.timers?.watermark ?? context.watermark
  },
  get processingMs() {
    return context.timers.processingMs
  },
  register: (domain, at) => (domain === 'event' ? context.timers.eventTime(at) : context.timers.processingTime(at)),
  remove: (domain, at) => (domain === 'event' ? context.timers.deleteEventTime(at) : context.timers.deleteProcessingTime(at)),
  emit: (value) => context.emit(value),
  emitBare() {
    throw new Unsupported('results carry the event time of their record or timer')
  },
  side: (tag, value) => context.emitTo(named(tag), value),
  visitKeys: (state, visit) => context.applyToKeyedState(state, visit),
  tell,
})

/** One-input operators without keys are operators of one key. */
const keyed = (golden: Case, input: Elements | undefined, number: 1 | 2): Elements => {
  const by = golden.config['keyBy']
  const written = typeof by === 'object' && by !== null ? (by as Fields)[number] : by
  return (input as Elements).pipe(keyBy(keyOf(written)) as never) as never
}

const onOneInput: Make = (fn, golden, tell) => ({
  inputs: 1,
  build: ([input]) =>
    (keyed(golden, input, 1) as any).pipe(
      processKeyed('under-test', { state: fn.state ?? {}, emits: undefined as never }, {
        onRecord: (value: unknown, context: any) => fn.first?.(value, seenBy(context, tell)),
        onTimer: (at: number, context: any) => fn.onTimer?.(context.domain, at, seenBy(context, tell)),
      } as never),
    ),
})

const onTwoInputs: Make = (fn, golden, tell) => ({
  inputs: 2,
  build: ([first, second]) =>
    (keyed(golden, first, 1) as any).pipe(
      connectKeyed('under-test', keyed(golden, second, 2) as any, { state: fn.state ?? {} }, {
        onFirst: (value: unknown, context: any) => fn.first?.(value, seenBy(context, tell)),
        onSecond: (value: unknown, context: any) => fn.second?.(value, seenBy(context, tell)),
        onTimer: (at: number, context: any) => fn.onTimer?.(context.domain, at, seenBy(context, tell)),
      } as never),
    ),
})

const onBroadcast: Make = (fn, golden, tell) => ({
  inputs: 2,
  build: ([first, second], ownKey) => {
    const { keyBy: by, operator } = golden.config
    // Where no key is named, every instance is given records of its own.
    const ofInstance = operator === 'broadcastProcess' || (by === undefined && ownKey !== undefined)
    const key = ofInstance ? () => ownKey ?? 'key' : keyOf(by ?? 'value')
    return (first as any).pipe(
      keyBy(key),
      connectBroadcast('under-test', second as any, { broadcast: fn.broadcast ?? {}, state: fn.state ?? {} }, {
        onRecord: (value: unknown, context: any) => fn.first?.(value, seenBy(context, tell)),
        onBroadcast: (value: unknown, context: any) => fn.second?.(value, seenBy(context, tell)),
        onTimer: (at: number, context: any) => fn.onTimer?.(context.domain, at, seenBy(context, tell)),
      } as never),
    )
  },
})

/** An operator of the test's own, as anybody may write one: it decides itself which event time its results carry. */
const ofItsOwn =
  (inputs: 1 | 2): Make =>
  (fn, golden, tell) => ({
    inputs,
    build: (streams) => {
      const [first, second] = streams.map((each, index) => keyed(golden, each, (index + 1) as 1 | 2))
      const others = second === undefined ? [] : [second]
      const spec = { name: 'own', uid: 'under-test', keyed: true, create: (context: MachineContext<unknown>) => ownMachine(context, fn, tell) }
      return operate<unknown, unknown>(second === undefined ? spec : { ...spec, connects: [0, 1] }, others)(first as never) as never
    },
  })

function ownMachine(context: MachineContext<unknown>, fn: UserFunction, tell: Seen['tell']) {
  let seen!: Seen
  const state = new KeyedOperatorState(context as never, fn.state ?? {}, (domain: TimeDomain, at: number) => fn.onTimer?.(domain, at, seen))
  const emit = (value: unknown, timestamp: number | undefined): void => context.output.processRecord(value, timestamp, state.scope.key)
  const view = {
    get key() {
      return state.scope.key
    },
    get timestamp() {
      return state.scope.timestamp
    },
    state: state.handles,
    timers: state.timers,
    emit: (value: unknown) => emit(value, state.scope.timestamp),
  }
  seen = Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(seenBy(view, tell)), emitBare: { value: (value: unknown) => emit(value, undefined) } },
  ) as Seen
  return {
    open: () => state.open(),
    processRecord(value: unknown, timestamp: number | undefined, key: unknown, input?: number) {
      state.enter(key, timestamp)
      if (input === 1) fn.second?.(value, seen)
      else fn.first?.(value, seen)
    },
    processWatermark: (timestampMs: number) => state.advance(timestampMs),
  }
}

const operators: { readonly [operator: string]: Make | undefined } = {
  keyedProcess: onOneInput,
  process: onOneInput,
  'process (not keyed)': onOneInput,
  keyedCoProcess: onTwoInputs,
  coProcess: onTwoInputs,
  'coProcess (not keyed)': onTwoInputs,
  keyedBroadcastProcess: onBroadcast,
  broadcastProcess: onBroadcast,
  'keyed operator with one ValueState and timers': ofItsOwn(1),
  'two-input keyed operator': ofItsOwn(2),
  'two-input operator': ofItsOwn(2),
}

/** Functions of users with state, timers and side outputs, on one input or two. */
export function processing(golden: Case): Promise<void> {
  const { operator, fn } = golden.config
  const make = operators[operator]
  if (make === undefined) throw unknown('operator', operator)
  const user = userFunction(fn)
  const told: Emitted[] = []
  const under = make(user, golden, (kind, fields) => told.push({ kind, ...fields }))
  if (golden.config['restore'] !== undefined) return rescaled(golden, under)
  return stream(golden, { ...under, tags: tagsOf(golden, user.sides), told: () => told.splice(0) })
}
