/**
 * Keeps five kinds of state for each customer, side by side.
 *
 * Flink's `ValueState`, `ListState`, `MapState`, `ReducingState` and `AggregatingState`, with the methods that they have there. Each is described
 * by what it looks like (an io-ts type, a zod schema, a codec), which is also what reads it after a restart.
 *
 *     npm run example -- kindsOfState
 */
import * as t from 'io-ts'
import {
  aggregatingState,
  defineJob,
  emits,
  json,
  keyBy,
  listState,
  mapState,
  mean,
  processKeyed,
  reducingState,
  type Stream,
  valueState,
} from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

export interface Order {
  readonly customer: string
  readonly product: string
  readonly amount: number
}

export const summaries = (orders: Stream<Order>) =>
  orders.pipe(
    keyBy((order) => order.customer),
    processKeyed(
      'summaries',
      {
        state: {
          last: valueState(t.string),
          amounts: listState(t.number),
          perProduct: mapState(t.string, t.number),
          largest: reducingState(t.number, Math.max),
          average: aggregatingState(
            json<{ readonly sum: number; readonly count: number }>(),
            mean((order: Order) => order.amount),
          ),
        },
        emits: emits<string>(),
      },
      {
        onRecord(order, { key, state, emit }) {
          const before = state.last.value() ?? 'nothing'
          state.last.update(order.product)
          state.amounts.add(order.amount)
          state.perProduct.put(order.product, (state.perProduct.get(order.product) ?? 0) + 1)
          state.largest.add(order.amount)
          state.average.add(order)
          const products = [...state.perProduct].map(([product, count]) => `${count} ${product}`).sort()
          emit(
            `${key}: ${order.product} after ${before}; amounts ${[...state.amounts].join(' ')}; so far ${products.join(' and ')}; ` +
              `largest ${state.largest.get()}, average ${state.average.get()}`,
          )
        },
      },
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const orders: readonly Order[] = [
    { customer: 'ada', product: 'tea', amount: 4 },
    { customer: 'bob', product: 'tea', amount: 3 },
    { customer: 'ada', product: 'milk', amount: 2 },
    { customer: 'ada', product: 'tea', amount: 6 },
    { customer: 'bob', product: 'milk', amount: 5 },
  ]
  const lines = memorySink<string>()
  const job = defineJob('kinds-of-state', { storage: memory() }, ({ source, sink }) =>
    summaries(source('orders', memorySource(orders))).pipe(sink('lines', lines)),
  )
  await job.run().done
  for (const line of lines.committed) print(line)
}

if (process.argv[1] === import.meta.filename) await main()
