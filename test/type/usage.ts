/**
 * How the public face infers, end to end, and what does not compile. Nothing here runs: the compiler is the test.
 */
import * as t from 'io-ts'
import { type Observable, of, retry, filter as rxFilter, map as rxMap, share, takeUntil, tap } from 'rxjs'
import {
  type AnyKeyOperator,
  type AnyStream,
  assignTimestamps,
  asyncMap,
  boundedOutOfOrderness,
  codec,
  coGroup,
  collect,
  connectBroadcast,
  connectKeyed,
  countRecords,
  defineJob,
  emits,
  exponentialDelay,
  failureRate,
  filterValues,
  fixedDelay,
  flatMapValues,
  fromSide,
  type Job,
  type JobEvent,
  json,
  type Key,
  type KeyedStream,
  keyBy,
  lift,
  listState,
  mapState,
  mapValues,
  mean,
  noRestart,
  operate,
  processKeyed,
  recordOf,
  records,
  type SideOutput,
  type Stream,
  type StreamElement,
  type Sunk,
  sideOutput,
  sink,
  statefulFlatMap,
  statefulMap,
  tapValues,
  tumbling,
  type Unkeyed,
  union,
  valueState,
  values,
  windowBy,
  windowJoin,
} from 'rxweir'
import { directory, jsonLines, jsonLinesSink } from 'rxweir/backends/directory'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import * as v from 'valibot'
import * as z from 'zod'

type Eq<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): [T]
type IsAny<T> = 0 extends 1 & T ? true : false

const Order = t.type({ customer: t.string, amount: t.number })
type Order = t.TypeOf<typeof Order>
const Reading = z.object({ device: z.string(), celsius: z.number(), at: z.number() })
type Reading = z.infer<typeof Reading>
declare const orders: Stream<Order>
declare const readings: Stream<Reading>
declare const never$: Observable<void>

// ---- in and out
const opened = of('a').pipe(records())
is<Eq<typeof opened, Observable<StreamElement<string, Unkeyed>>>>()
const closed = opened.pipe(values())
is<Eq<typeof closed, Observable<string>>>()
const collected = collect(opened)
is<Eq<typeof collected, Promise<string[]>>>()
const timestamped = of({ at: 1 }).pipe(records({ timestamp: ({ at }) => at }))
is<Eq<typeof timestamped, Stream<{ at: number }>>>()

// ---- stateless: the key flows through
const keyed = orders.pipe(keyBy((o) => o.customer))
is<Eq<typeof keyed, Observable<StreamElement<Order, string>>>>()
const mapped = keyed.pipe(mapValues((o) => o.amount))
is<Eq<typeof mapped, Observable<StreamElement<number, string>>>>()
const narrowed = of<string | number>(1).pipe(
  records(),
  filterValues((value) => typeof value === 'string'),
)
is<Eq<typeof narrowed, Stream<string>>>()
const guarded = of<string | number>(1).pipe(
  records(),
  filterValues((value): value is number => typeof value === 'number'),
)
is<Eq<typeof guarded, Stream<number>>>()
const flat = keyed.pipe(flatMapValues((o) => [o.amount, o.customer]))
is<Eq<typeof flat, Observable<StreamElement<string | number, string>>>>()
const double: AnyKeyOperator<number, number> = mapValues((n) => n * 2)
const doubled = keyed.pipe(
  mapValues((o) => o.amount),
  double,
)
is<Eq<typeof doubled, Observable<StreamElement<number, string>>>>()
const lifted = keyed.pipe(
  lift(
    rxMap((o) => o.amount),
    rxFilter((n) => n > 1),
    rxMap(String),
  ),
)
is<Eq<typeof lifted, Observable<StreamElement<string, string>>>>()
const passed = orders.pipe(
  union(orders, orders),
  filterValues((o) => o.amount > 0),
  tapValues((o, { key, timestamp }) => [o.amount, key, timestamp]),
  share(),
  tap((element) => recordOf(element)?.value.amount),
)
is<Eq<typeof passed, Stream<Order>>>()
const both = orders.pipe(union(readings))
is<Eq<typeof both, Stream<Order | Reading>>>()
const composite = orders.pipe(keyBy((o) => [o.customer, 1]))
is<Eq<typeof composite, Observable<StreamElement<Order, (string | number)[]>>>>()

// ---- keyed state, in a pipe
const totals = orders.pipe(
  keyBy((o) => o.customer),
  statefulMap('total', { state: t.number, initial: 0 }, (total, o) => [total + o.amount, { customer: o.customer, total }]),
  mapValues((r) => r.total.toFixed()),
)
is<Eq<typeof totals, Observable<StreamElement<string, string>>>>()
const once = orders.pipe(
  keyBy((o) => [o.customer, 1]),
  statefulFlatMap('once', { state: z.set(z.number()) }, (seen, o) =>
    seen?.has(o.amount) ? [seen, []] : [new Set([...(seen ?? []), o.amount]), [o]],
  ),
)
is<Eq<typeof once, Observable<StreamElement<Order, (string | number)[]>>>>()
const mixed = keyed.pipe(
  statefulMap('mixed', { state: z.array(z.number()), initial: [] }, (seen, o) =>
    o.amount < 0 ? [undefined, 'reset'] : [[...seen, o.amount], seen.length],
  ),
)
is<Eq<typeof mixed, Observable<StreamElement<string | number, string>>>>()
const Switch = z.discriminatedUnion('kind', [z.object({ kind: z.literal('off') }), z.object({ kind: z.literal('on'), at: z.number() })])
const tagged = keyed.pipe(
  statefulMap('tagged', { state: Switch, initial: { kind: 'off' } }, (s, o) => [
    s.kind === 'on' ? { kind: 'off' } : { kind: 'on', at: o.amount },
    s.kind,
  ]),
)
is<Eq<typeof tagged, Observable<StreamElement<'off' | 'on', string>>>>()

// ---- every kind of codec
const byJson = keyed.pipe(statefulMap('json', { state: json<{ n: number }>(), initial: { n: 0 } }, (s, o) => [{ n: s.n + o.amount }, s.n]))
is<Eq<typeof byJson, Observable<StreamElement<number, string>>>>()
const byValibot = keyed.pipe(
  statefulMap('valibot', { state: v.object({ n: v.number() }), initial: { n: 0 } }, (s, o) => [{ n: s.n + o.amount }, s.n]),
)
is<Eq<typeof byValibot, Observable<StreamElement<number, string>>>>()
const byHand = keyed.pipe(
  statefulMap('by-hand', { state: codec({ encode: (n: bigint) => `${n}`, decode: (text) => BigInt(text as string) }), initial: 0n }, (n, o) => [
    n + BigInt(o.amount),
    n,
  ]),
)
is<Eq<typeof byHand, Observable<StreamElement<bigint, string>>>>()
const withoutInitial = keyed.pipe(
  statefulMap('without', { state: t.number }, (n, o) => {
    is<Eq<typeof n, number | undefined>>()
    return [o.amount, n]
  }),
)
is<Eq<typeof withoutInitial, Observable<StreamElement<number | undefined, string>>>>()

// ---- stored operators stay generic in the key
const count = statefulMap('count', { state: t.number, initial: 0 }, (n, _word: string) => [n + 1, n + 1])
const byWord = of('a').pipe(
  records(),
  keyBy((w) => w),
  count,
)
is<Eq<typeof byWord, Observable<StreamElement<number, string>>>>()
const byLength = of('a').pipe(
  records(),
  keyBy((w) => w.length),
  count,
)
is<Eq<typeof byLength, Observable<StreamElement<number, number>>>>()
const unwrapped = byLength.pipe(values())
is<Eq<typeof unwrapped, Observable<number>>>()

// ---- time and windows
const late = sideOutput<Reading>('late')
is<Eq<typeof late, SideOutput<Reading>>>()
const timed = readings.pipe(assignTimestamps({ timestamp: (r) => r.at, watermarks: boundedOutOfOrderness({ delayMs: 5_000, idleAfterMs: 60_000 }) }))
is<Eq<typeof timed, Stream<Reading>>>()
const means = timed.pipe(
  keyBy((r) => r.device),
  windowBy('mean-per-minute', {
    assigner: tumbling({ sizeMs: 60_000 }),
    allowedLatenessMs: 10_000,
    late,
    aggregate: mean((r) => r.celsius),
    result: (celsius, { key, end }) => ({ device: key, end, celsius }),
  }),
  share(),
)
is<Eq<typeof means, Observable<StreamElement<{ device: string; end: number; celsius: number }, string>>>>()
const plainMeans = timed.pipe(
  keyBy((r) => r.device),
  windowBy('m', { assigner: tumbling({ sizeMs: 1 }), aggregate: mean((r) => r.celsius) }),
)
is<Eq<typeof plainMeans, Observable<StreamElement<number, string>>>>()
const counts = timed.pipe(
  keyBy((r) => r.device),
  windowBy('c', { assigner: tumbling({ sizeMs: 1 }), late, aggregate: countRecords() }),
)
is<Eq<typeof counts, Observable<StreamElement<number, string>>>>()
const tooLate = means.pipe(fromSide(late))
is<Eq<typeof tooLate, Stream<Reading>>>()
const storedWindow = windowBy('w', {
  assigner: tumbling({ sizeMs: 1 }),
  aggregate: mean((r: Reading) => r.celsius),
  result: (m, { key }) => [key, m] as const,
})
const throughStored = timed.pipe(
  keyBy((r) => r.device),
  storedWindow,
)
is<Eq<typeof throughStored, Observable<StreamElement<readonly [Key, number], string>>>>()

// ---- named states and timers
const perView = keyed.pipe(
  processKeyed(
    'views',
    {
      state: { count: valueState(t.number, { initial: 0 }), due: valueState(z.number()), seen: mapState(t.string, Order), log: listState(t.string) },
      emits: emits<string>(),
    },
    {
      onRecord(o, { state, timers, timestamp = 0, key }) {
        is<Eq<typeof key, string>>()
        const due = state.due.value()
        is<Eq<typeof due, number | undefined>>()
        const views = state.count.value()
        is<Eq<typeof views, number>>()
        state.seen.put(o.customer, o)
        state.log.add(key)
        if (due === undefined) timers.eventTime(timestamp + 10)
      },
      onTimer(_at, { key, state, emit }) {
        emit(`${key} ${state.count.value()}`)
      },
    },
  ),
)
is<Eq<typeof perView, Observable<StreamElement<string, string>>>>()
const storedProcess = processKeyed(
  'stored',
  { state: { n: valueState(t.number) }, emits: emits<number>() },
  {
    onRecord(o: Order, { key, emit }) {
      is<Eq<typeof key, Key>>()
      emit(o.amount)
    },
  },
)
const processed = keyed.pipe(storedProcess)
is<Eq<typeof processed, Observable<StreamElement<number, string>>>>()

// ---- two inputs
declare const rules: Stream<string>
const steered = keyed.pipe(
  connectBroadcast(
    'steered',
    rules,
    { broadcast: { rule: valueState(t.string) }, state: { last: valueState(t.string) }, emits: emits<string>() },
    {
      onBroadcast(rule, { broadcast }) {
        broadcast.rule.update(rule)
      },
      onRecord(o, { broadcast, state, key, emit }) {
        is<Eq<typeof key, string>>()
        // @ts-expect-error broadcast state is read-only on the data side
        broadcast.rule.update(o.customer)
        if (state.last.value() === broadcast.rule.value()) emit(key)
      },
    },
  ),
)
is<Eq<typeof steered, Observable<StreamElement<string, string>>>>()
const steeredPlain = orders.pipe(
  connectBroadcast(
    'steered',
    rules,
    { broadcast: { rule: valueState(t.string) }, emits: emits<number>() },
    {
      onBroadcast(rule, { broadcast }) {
        broadcast.rule.update(rule)
      },
      onRecord(o, { key, emit }) {
        is<Eq<typeof key, undefined>>()
        emit(o.amount)
      },
    },
  ),
)
is<Eq<typeof steeredPlain, Stream<number>>>()
const steeredKeys = keyed.pipe(
  connectBroadcast(
    'steered',
    rules,
    { broadcast: {}, emits: emits<number>() },
    {
      onBroadcast() {},
      onRecord(o, { key, emit }) {
        is<Eq<typeof key, string>>()
        emit(o.amount)
      },
    },
  ),
)
is<Eq<typeof steeredKeys, Observable<StreamElement<number, string>>>>()
const readingsByDevice = timed.pipe(keyBy((r) => r.device))
const met = keyed.pipe(
  connectKeyed(
    'met',
    readingsByDevice,
    { state: { orders: listState(Order) }, emits: emits<[Order, Reading]>() },
    {
      onFirst(o, { state }) {
        state.orders.add(o)
      },
      onSecond(r, { state, emit }) {
        for (const o of state.orders) emit([o, r])
      },
    },
  ),
)
is<Eq<typeof met, Observable<StreamElement<[Order, Reading], string>>>>()
const groups = keyed.pipe(
  coGroup('groups', readingsByDevice, { assigner: tumbling({ sizeMs: 1 }), emits: emits<string>() }, (first, second, { key }, emit) => {
    is<Eq<typeof key, string>>()
    emit(`${first[0]?.amount} ${second[0]?.celsius}`)
  }),
)
is<Eq<typeof groups, Observable<StreamElement<string, string>>>>()
const windowPairs = keyed.pipe(windowJoin('pairs', readingsByDevice, { assigner: tumbling({ sizeMs: 1 }) }, (o, r) => o.amount + r.celsius))
is<Eq<typeof windowPairs, Observable<StreamElement<number, string>>>>()
const located = orders.pipe(
  asyncMap('located', { order: 'kept', capacity: 64, timeoutMs: 2_000 }, async (o) => ({ ...o, country: 'NL' })),
  mapValues((o) => o.country),
)
is<Eq<typeof located, Stream<string>>>()

// ---- jobs
const storage = directory('./state')
const job = defineJob('orders', { storage, checkpoints: { intervalMs: 1_000 } }, (scope) =>
  scope.source('orders', jsonLines('orders.jsonl', Order)).pipe(
    keyBy((o) => o.customer),
    statefulMap('total', { state: t.number, initial: 0 }, (n, o) => [n + o.amount, n + o.amount]),
    scope.sink('totals', jsonLinesSink('totals.jsonl')),
  ),
)
is<Eq<typeof job, Job>>()
export const many = defineJob('readings', { storage: memory() }, ({ source, sink: into }) => {
  const input = source('readings', jsonLines('r.jsonl', Reading)).pipe(share())
  is<Eq<typeof input, Stream<Reading>>>()
  return [
    input.pipe(into('raw', jsonLinesSink<Reading>('raw'))),
    input.pipe(
      keyBy((r) => r.device),
      mapValues((r) => r.at),
      into('at', jsonLinesSink<number>('at')),
    ),
  ]
})
export const running = job.pipe(retry({ count: 5, delay: 1_000 }), takeUntil(never$)).subscribe((event) => {
  is<Eq<typeof event, JobEvent>>()
  if (event.kind === 'checkpointCompleted') is<Eq<typeof event.durationMs, number>>()
})
// A restart strategy fits rxjs and the handle alike.
export const restarted = [noRestart(), fixedDelay({ attempts: 3, delayMs: 1_000 }), failureRate({ failuresMax: 3, perMs: 60_000, delayMs: 0 })].map(
  (strategy) => job.pipe(retry(strategy)),
)
is<Eq<(typeof restarted)[number], Observable<JobEvent>>>()
export const patient = job.run({ restart: exponentialDelay({ initialMs: 1_000, jitter: 0.1, random: Math.random }) })
export const counted = job.run({ restart: { count: 3, delayMs: 1_000 } })
// @ts-expect-error a rate needs its time
failureRate({ failuresMax: 3, delayMs: 0 })
// @ts-expect-error there are two modes
defineJob('orders', { storage, checkpoints: { mode: 'once' } }, () => [])
defineJob('orders', { storage, checkpoints: { unaligned: true, alignmentTimeoutMs: 5_000, inFlight: t.unknown } }, () => [])
defineJob('orders', { storage, checkpoints: { unaligned: true, inFlight: Order } }, () => [])
const ended = orders.pipe(sink('orders', memorySink<Order>()))
is<Eq<typeof ended, Observable<Sunk>>>()
const wider = orders.pipe(sink('wider', memorySink<Order | string>()))
is<Eq<typeof wider, Observable<Sunk>>>()
export const assignable: KeyedStream<string, string> = totals
export const anything: AnyStream = totals

// ---- an operator of one's own
const shout = operate<string, string>({
  name: 'shout',
  create: ({ output }) => ({ processRecord: (value, timestamp, key) => output.processRecord(value.toUpperCase(), timestamp, key) }),
})
const shouted = byWord.pipe(mapValues(String), shout)
is<Eq<typeof shouted, Observable<StreamElement<string, string>>>>()

// ---- nothing above is any
is<Eq<IsAny<typeof totals | typeof means | typeof once | typeof closed>, false>>()

// ---- what does not compile
// @ts-expect-error no keyBy before an operator with keyed state
orders.pipe(statefulMap('x', { state: t.number, initial: 0 }, (n, o) => [n + o.amount, n]))
// @ts-expect-error no keyBy before a stored operator with keyed state
of('a').pipe(records(), count)
// @ts-expect-error no keyBy before a window
timed.pipe(windowBy('x', { assigner: tumbling({ sizeMs: 1 }), aggregate: countRecords() }))
// @ts-expect-error the next state is of another type than the codec's
keyed.pipe(statefulMap('x', { state: t.number, initial: 0 }, (n, o) => [o.customer, n]))
// @ts-expect-error the initial state is of another type than the codec's
keyed.pipe(statefulMap('x', { state: t.number, initial: 'zero' }, (n, _o) => [n, n]))
// @ts-expect-error a step returns the next state and a result, not the state alone
keyed.pipe(statefulMap('x', { state: t.number, initial: 0 }, (n, o) => n + o.amount))
// @ts-expect-error a state without initial may be undefined
keyed.pipe(statefulMap('x', { state: t.number }, (n, o) => [n + o.amount, n]))
// @ts-expect-error the results of statefulFlatMap are iterable
keyed.pipe(statefulFlatMap('x', { state: t.number, initial: 0 }, (n, _o) => [n, n]))
// @ts-expect-error a schema that transforms cannot read back what it returned
statefulMap('x', { state: z.string().transform(Number), initial: 0 }, (n, _o: string) => [n, n])
// @ts-expect-error rxjs map sees elements, not values
orders.pipe(rxMap((o) => o.amount))
// @ts-expect-error an element is opened with recordOf, not by reaching into it
orders.pipe(tap((element) => element.value))
// @ts-expect-error an object is no key
orders.pipe(keyBy((o) => ({ customer: o.customer })))
// @ts-expect-error undefined is no key
orders.pipe(keyBy((o) => (o.amount > 0 ? o.customer : undefined)))
// @ts-expect-error streams with different keys do not join
keyed.pipe(union(orders.pipe(keyBy((o) => o.amount))))
// @ts-expect-error a plain value is no element
of('a').pipe(mapValues((word: string) => word))
const unnamed = sideOutput('late')
const perDevice = timed.pipe(keyBy((r) => r.device))
const counting = { assigner: tumbling({ sizeMs: 1 }), aggregate: countRecords() }
// @ts-expect-error the type of a side output is named
perDevice.pipe(windowBy('x', { ...counting, late: unnamed }))
// @ts-expect-error late records are those of the input
perDevice.pipe(windowBy('x', { ...counting, late: sideOutput<Order>('late') }))
// @ts-expect-error a sink takes what the stream has
orders.pipe(sink('x', memorySink<string>()))
// @ts-expect-error a job ends in sinks
defineJob('x', { storage }, ({ source }) => source('a', jsonLines('x', Order)))
// @ts-expect-error a job has a storage
defineJob('x', {}, ({ source }) => source('a', memorySource([1])).pipe(sink('out', memorySink())))
// @ts-expect-error a source of a job can be read again
defineJob('x', { storage }, ({ source }) => source('a', of(1)).pipe(sink('out', memorySink())))
// @ts-expect-error an operator is assembled with a uid
statefulMap({ state: t.number, initial: 0 }, (n: number, _o: string) => [n, n])
// @ts-expect-error no type named for emit
keyed.pipe(processKeyed('x', { state: {} }, { onRecord: (o, { emit }) => emit(o) }))
// @ts-expect-error no type named for the results of a group
keyed.pipe(coGroup('x', readingsByDevice, { assigner: tumbling({ sizeMs: 1 }) }, (a, _b, _window, emit) => emit(a)))
// @ts-expect-error streams with different keys share no windows
keyed.pipe(windowJoin('x', orders.pipe(keyBy((o) => o.amount)), { assigner: tumbling({ sizeMs: 1 }) }, (o) => o))
// @ts-expect-error no keyBy before a broadcast with state per key
orders.pipe(connectBroadcast('x', rules, { broadcast: {}, state: { n: valueState(t.number) } }, { onBroadcast() {}, onRecord() {} }))
// @ts-expect-error a transform cannot read back what it returned
valueState(z.string().transform(Number))
