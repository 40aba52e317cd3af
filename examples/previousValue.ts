/**
 * Prints each value together with the one before it of the same key.
 *
 * Flink's `KeyedProcessFunction` with a `ValueState`: the smallest program with state. What only turns the state and a value into the next
 * state and one result needs no more than `statefulMap`; the second function is the same as the first.
 *
 *     npm run example -- previousValue
 */
import * as t from 'io-ts'
import { defineJob, emits, keyBy, mapValues, processKeyed, type Stream, statefulMap, valueState } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

/** `mapValues` keeps the key, so the state is still kept per input. */
const processed = (input: Stream<string>) =>
  input.pipe(
    keyBy((value) => value),
    mapValues((value) => `${value} processed`),
  )

export const withPrevious = (input: Stream<string>) =>
  processed(input).pipe(
    processKeyed(
      'previous',
      { state: { state: valueState(t.string) }, emits: emits<string>() },
      {
        onRecord(value, { state, emit }) {
          const previous = state.state.value() ?? null
          state.state.update(value)
          emit(`${previous} ${value}`)
        },
      },
    ),
  )

export const withPreviousInShort = (input: Stream<string>) =>
  processed(input).pipe(statefulMap('previous', { state: t.string }, (previous, value: string) => [value, `${previous ?? null} ${value}`]))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const lines = memorySink<string>()
  const job = defineJob('previous-value', { storage: memory() }, ({ source, sink }) =>
    withPrevious(source('input', memorySource(['1', '2', '3', '4', '5']))).pipe(sink('lines', lines)),
  )
  await job.run().done
  for (const line of lines.committed) print(line)
}

if (process.argv[1] === import.meta.filename) await main()
