/**
 * Prints the average time of every five clicks of a user, twice: by hand, and with a count window.
 *
 * The first is Flink's `AggregatingState` (sum and number go in, their quotient comes out) beside a `ValueState` that counts to five. The
 * second is `countWindow(5)` with the same aggregate.
 *
 *     npm run example -- averageTimestamp
 */
import * as t from 'io-ts'
import { type Aggregate, aggregatingState, countWindow, defineJob, emits, keyBy, processKeyed, type Stream, valueState, window } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { type Click, clicks, shown } from './clicks.js'

const every = 5
const Times = t.type({ sum: t.number, count: t.number })

/** The sum of five times of this century is far below 2^53, so it is exact. */
const averageTime: Aggregate<Click, t.TypeOf<typeof Times>, number> = {
  create: () => ({ sum: 0, count: 0 }),
  add: ({ sum, count }, click) => ({ sum: sum + click.timestamp, count: count + 1 }),
  result: ({ sum, count }) => Math.floor(sum / count),
}
const line = (user: unknown, average: number): string => `${user} average timestamp: ${shown(average)}`

export const byHand = (input: Stream<Click>) =>
  input.pipe(
    keyBy((click) => click.user),
    processKeyed(
      'average-timestamp',
      { state: { average: aggregatingState(Times, averageTime), count: valueState(t.number, { initial: 0 }) }, emits: emits<string>() },
      {
        onRecord(click, { key, state, emit }) {
          const count = state.count.value() + 1
          state.count.update(count)
          state.average.add(click)
          const average = state.average.get()
          if (count < every || average === undefined) return
          emit(line(key, average))
          state.count.clear()
          state.average.clear()
        },
      },
    ),
  )

export const byWindow = (input: Stream<Click>) =>
  input.pipe(
    keyBy((click) => click.user),
    window('average', { ...countWindow(every), aggregate: averageTime, state: Times, result: (average, { key }) => line(key, average) }),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  for (const averages of [byHand, byWindow]) {
    const lines = memorySink<string>()
    const job = defineJob('average-timestamp', { storage: memory() }, ({ source, sink }) =>
      averages(source('clicks', memorySource(clicks))).pipe(sink('lines', lines)),
    )
    await job.run().done
    print(averages === byHand ? 'by hand' : 'with a count window')
    for (const each of lines.committed) print(each)
  }
}

if (process.argv[1] === import.meta.filename) await main()
