/**
 * How the twins that wait for the clock, and those that join streams, infer, and what does not compile. Nothing here runs.
 */
import * as t from 'io-ts'
import type { Observable } from 'rxjs'
import { keyBy, mapValues, type Stream, type StreamElement, type Unkeyed } from 'rxweir'
import * as durable from 'rxweir/durable'
import * as z from 'zod'

type Eq<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): [T]
const Order = t.type({ customer: t.string, amount: t.number })
type Order = t.TypeOf<typeof Order>
declare const orders: Stream<Order>
declare const numbers: Stream<number>
declare const flags: Stream<boolean>
const keyed = orders.pipe(keyBy((o) => o.customer))
const names = orders.pipe(
  keyBy((o) => o.customer),
  mapValues((o) => o.customer),
)
const ages = numbers.pipe(keyBy((n) => String(n)))

// ---- waiting
const debounced = keyed.pipe(
  durable.debounceTime('last', { dueMs: 300 }),
  mapValues((o) => o.amount),
)
is<Eq<typeof debounced, Observable<StreamElement<number, string>>>>()
const plain = numbers.pipe(durable.delay('later', { dueMs: 5 }), durable.throttleTime('first', { durationMs: 5, trailing: true }))
is<Eq<typeof plain, Stream<number>>>()
const until = numbers.pipe(durable.delay('later', { dueAt: new Date(0), value: t.number }))
is<Eq<typeof until, Stream<number>>>()
const buffers = keyed.pipe(durable.bufferTime('buffers', { spanMs: 5, bufferSizeMax: 3, value: Order }))
is<Eq<typeof buffers, Observable<StreamElement<Order[], string>>>>()
const stored = durable.debounceTime('last', { dueMs: 5, value: Order })
const ofStored = keyed.pipe(stored)
is<Eq<typeof ofStored, Observable<StreamElement<Order, string>>>>()
// @ts-expect-error a time is needed
durable.debounceTime('last', {})
// @ts-expect-error either for so long, or until then
durable.delay('later', { dueMs: 5, dueAt: new Date(0) })
// @ts-expect-error a schema that transforms cannot read back what it returned
durable.delay('later', { dueMs: 5, value: z.string().transform(Number) })
// @ts-expect-error the codec is that of the values
numbers.pipe(durable.debounceTime('last', { dueMs: 5, value: t.string }))

// ---- joining
const pairs = keyed.pipe(durable.zipWith('pairs', names))
is<Eq<typeof pairs, Observable<StreamElement<[Order, string], string>>>>()
const triples = keyed.pipe(durable.combineLatestWith('triples', [names, ages]))
is<Eq<typeof triples, Observable<StreamElement<[Order, string, number], string>>>>()
const projected = keyed.pipe(durable.withLatestFrom('projected', names, (order, name) => ({ ...order, name })))
is<Eq<typeof projected, Observable<StreamElement<{ name: string; customer: string; amount: number }, string>>>>()
const severally = numbers.pipe(durable.withLatestFrom('severally', [flags, numbers], (n, flag, other) => (flag ? n : other)))
is<Eq<typeof severally, Stream<number>>>()
const declared = keyed.pipe(durable.zipWith('declared', ages, { values: [Order, t.number], queuedValuesMax: 10 }, (order, age) => order.amount + age))
is<Eq<typeof declared, Observable<StreamElement<number, string>>>>()
const withTtl = keyed.pipe(durable.combineLatestWith('ttl', ages, { ttl: { afterMs: 1 } }))
is<Eq<typeof withTtl, Observable<StreamElement<[Order, number], string>>>>()
const unkeyed = orders.pipe(durable.combineLatestWith('unkeyed', numbers))
is<Eq<typeof unkeyed, Observable<StreamElement<[Order, number], Unkeyed>>>>()
// @ts-expect-error one stream has keys, the other has none
keyed.pipe(durable.zipWith('pairs', numbers))
// @ts-expect-error the other one has keys, this one has none
orders.pipe(durable.zipWith('pairs', ages))
// @ts-expect-error a zip has nothing that expires
keyed.pipe(durable.zipWith('pairs', ages, { ttl: { afterMs: 1 } }))
// @ts-expect-error the codecs are those of the streams, in their order
keyed.pipe(durable.combineLatestWith('pairs', ages, { values: [t.number, Order] }))
// @ts-expect-error a schema that transforms cannot read back what it returned
durable.zipWith('pairs', ages, { values: [t.number, z.string().transform(Number)] })
// @ts-expect-error one of them has no keys
keyed.pipe(durable.combineLatestWith('triples', [names, numbers]))
const storedPair = durable.zipWith('pairs', ages, (name: string, age) => `${name} ${age}`)
const ofStoredPair = names.pipe(storedPair)
is<Eq<typeof ofStoredPair, Observable<StreamElement<string, string>>>>()
