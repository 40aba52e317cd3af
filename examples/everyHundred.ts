/**
 * Counts the records of a key, and prints and forgets the count when it has reached a hundred.
 *
 * Flink's `RichFlatMapFunction` that gets a `ValueState` in `open()`. `statefulFlatMap` is given the state and returns the next one with any
 * number of results; `undefined` as the next state clears it, so that a key between two hundreds costs nothing.
 *
 *     npm run example -- everyHundred
 */
import * as t from 'io-ts'
import { defineJob, keyBy, type Stream, statefulFlatMap } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

export const everyHundred = (input: Stream<number>) =>
  input.pipe(
    keyBy((n) => n % 2),
    statefulFlatMap('my-state', { state: t.number, initial: 0 }, (count, _n: number) =>
      count + 1 >= 100 ? [undefined, [`state: ${count + 1}`]] : [count + 1, []],
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const lines = memorySink<string>()
  const numbers = Array.from({ length: 500 }, (_, n) => n)
  const job = defineJob('every-hundred', { storage: memory() }, ({ source, sink }) =>
    everyHundred(source('numbers', memorySource(numbers))).pipe(sink('lines', lines)),
  )
  await job.run().done
  for (const line of lines.committed) print(line)
}

if (process.argv[1] === import.meta.filename) await main()
