/**
 * How the twins of RxJS's operators infer, and what does not compile. Nothing here runs: the compiler is the test.
 */
import * as t from 'io-ts'
import type { Observable } from 'rxjs'
import { keyBy, mapValues, type Stream, type StreamElement, type Unkeyed } from 'rxweir'
import * as durable from 'rxweir/durable'
import * as z from 'zod'

type Eq<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false
declare function is<T extends true>(): [T]
interface Order {
  readonly customer: string
  readonly amount: number
}
declare const orders: Stream<Order>
declare const numbers: Stream<number>
const keyed = orders.pipe(keyBy((o) => o.customer))

// ---- scan
const total = orders.pipe(durable.scan('total', (sum, o) => sum + o.amount, 0))
is<Eq<typeof total, Observable<StreamElement<number, Unkeyed>>>>()
const totals = keyed.pipe(
  durable.scan('total', (sum, o) => sum + o.amount, 0),
  mapValues((n) => n.toFixed()),
)
is<Eq<typeof totals, Observable<StreamElement<string, string>>>>()
const unseeded = numbers.pipe(durable.scan('sum', (a, b) => a + b))
is<Eq<typeof unseeded, Stream<number>>>()
const declared = keyed.pipe(durable.scan('total', { state: t.number, ttl: { afterMs: 1 } }, (sum, o) => sum + o.amount, 0))
is<Eq<typeof declared, Observable<StreamElement<number, string>>>>()
const lists = keyed.pipe(durable.scan('list', { state: z.array(z.number()) }, (all, o) => [...all, o.amount], []))
is<Eq<typeof lists, Observable<StreamElement<number[], string>>>>()
const onlyTtl = keyed.pipe(durable.scan('total', { ttl: { afterMs: 1 } }, (sum, o) => sum + o.amount, 0))
is<Eq<typeof onlyTtl, Observable<StreamElement<number, string>>>>()
const declaredUnseeded = numbers.pipe(durable.scan('sum', { state: t.number }, (a, b) => a + b))
is<Eq<typeof declaredUnseeded, Stream<number>>>()
const stored = durable.scan('total', (sum: number, o: Order) => sum + o.amount, 0)
const ofStored = keyed.pipe(stored)
is<Eq<typeof ofStored, Observable<StreamElement<number, string>>>>()
// @ts-expect-error a seed is what the codec says
keyed.pipe(durable.scan('total', { state: t.number }, (sum: number, o: Order) => sum + o.amount, ''))
// @ts-expect-error a schema that transforms cannot read back what it returned
durable.scan('total', { state: z.string().transform(Number) }, (sum: number, o: Order) => sum + o.amount, 0)

// ---- the twins keep the key, and infer as RxJS's operators do
is<Eq<ReturnType<typeof reduceAll>, Observable<StreamElement<number, string>>>>()
const reduceAll = () => keyed.pipe(durable.reduce('sum', (sum, o) => sum + o.amount, 0))
const counted = keyed.pipe(durable.count('some', (o, index) => o.amount > index))
is<Eq<typeof counted, Observable<StreamElement<number, string>>>>()
const countedAll = keyed.pipe(durable.count('all', { ttl: { afterMs: 1 } }))
is<Eq<typeof countedAll, Observable<StreamElement<number, string>>>>()
const paired = keyed.pipe(durable.pairwise('pairs'))
is<Eq<typeof paired, Observable<StreamElement<[Order, Order], string>>>>()
const OrderType = t.type({ customer: t.string, amount: t.number })
type OrderType = t.TypeOf<typeof OrderType>
const pairedWith = keyed.pipe(durable.pairwise('pairs', { value: OrderType }))
is<Eq<typeof pairedWith, Observable<StreamElement<[OrderType, OrderType], string>>>>()
const inTens = keyed.pipe(durable.bufferCount('tens', 10))
is<Eq<typeof inTens, Observable<StreamElement<Order[], string>>>>()
const overlapping = keyed.pipe(durable.bufferCount('tens', { value: OrderType }, 10, 5))
is<Eq<typeof overlapping, Observable<StreamElement<OrderType[], string>>>>()
const onceEach = numbers.pipe(durable.distinct('seen'))
is<Eq<typeof onceEach, Stream<number>>>()
const oncePerCustomer = keyed.pipe(durable.distinct('seen', { ttl: { afterMs: 1 } }, (o) => o.customer))
is<Eq<typeof oncePerCustomer, Observable<StreamElement<Order, string>>>>()
const changes = keyed.pipe(
  durable.distinctUntilChanged(
    'amounts',
    (a, b) => a === b,
    (o) => o.amount,
  ),
  durable.skip('first', 1),
  durable.take('some', { ttl: { afterMs: 1 } }, 3),
)
is<Eq<typeof changes, Observable<StreamElement<Order, string>>>>()
const changesWith = keyed.pipe(
  durable.distinctUntilChanged(
    'amounts',
    { value: t.number },
    (a, b) => a - b < 1,
    (o) => o.amount,
  ),
)
is<Eq<typeof changesWith, Observable<StreamElement<Order, string>>>>()
declare const mixed: Stream<number | string>
const narrowed = mixed.pipe(durable.takeWhile('numbers', (value): value is number => typeof value === 'number'))
is<Eq<typeof narrowed, Stream<number>>>()
const inclusive = mixed.pipe(durable.takeWhile('numbers', (value): value is number => typeof value === 'number', true))
is<Eq<typeof inclusive, Stream<number | string>>>()
const whileSmall = keyed.pipe(durable.takeWhile('small', { ttl: { afterMs: 1 } }, (o, index) => o.amount < index))
is<Eq<typeof whileSmall, Observable<StreamElement<Order, string>>>>()
// @ts-expect-error an object is no key: what is distinct about it has to be selected
keyed.pipe(durable.distinct('seen'))
// @ts-expect-error a value is what the codec says
keyed.pipe(durable.pairwise('pairs', { value: t.string }))
// @ts-expect-error a uid comes first
durable.take(3)
