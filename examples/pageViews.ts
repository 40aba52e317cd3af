/**
 * Counts the page views of each user, and prints them every ten seconds instead of at every click.
 *
 * Flink's `KeyedProcessFunction` with two `ValueState`s and a timer of event time. The first click of a user sets a timer; when event time
 * has reached it, the count is printed and the user's next click sets the next one. Timers are state: they survive a crash, and fire once.
 *
 *     npm run example -- pageViews
 */
import * as t from 'io-ts'
import { defineJob, emits, keyBy, processKeyed, type Stream, valueState } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { type Click, clicks, inClickTime } from './clicks.js'

const everyMs = 10_000

export const pageViews = (input: Stream<Click>) =>
  input.pipe(
    inClickTime,
    keyBy((click) => click.user),
    processKeyed(
      'page-views',
      { state: { count: valueState(t.number, { initial: 0 }), timer: valueState(t.number) }, emits: emits<string>() },
      {
        onRecord({ timestamp }, { state, timers }) {
          state.count.update(state.count.value() + 1)
          if (state.timer.value() !== undefined) return
          timers.eventTime(timestamp + everyMs)
          state.timer.update(timestamp + everyMs)
        },
        onTimer(_at, { key, state, emit }) {
          emit(`${key} pv: ${state.count.value()}`)
          state.timer.clear()
        },
      },
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const lines = memorySink<string>()
  const job = defineJob('page-views', { storage: memory() }, ({ source, sink }) =>
    pageViews(source('clicks', memorySource(clicks))).pipe(sink('lines', lines)),
  )
  await job.run().done
  for (const line of lines.committed) print(line)
}

if (process.argv[1] === import.meta.filename) await main()
