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
