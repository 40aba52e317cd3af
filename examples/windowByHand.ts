/**
 * Counts the views of each page in windows of ten seconds, twice: by hand, and with `window`.
 *
 * The first is Flink's `KeyedProcessFunction` with a `MapState` from the start of a window to its count: it shows what a window is made of, an
 * entry for each open window and a timer for its last millisecond. The second is the same in five lines, and knows what to do with late clicks.
 *
 *     npm run example -- windowByHand
 */
import * as t from 'io-ts'
import { countRecords, defineJob, emits, keyBy, mapState, processKeyed, type Stream, tumbling, window } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { type Click, clicks, inClickTime, shown } from './clicks.js'

const sizeMs = 10_000
const line = (url: unknown, views: number, start: number): string => `url: ${url} views: ${views} window: ${shown(start)} ~ ${shown(start + sizeMs)}`

const byUrl = (input: Stream<Click>) =>
  input.pipe(
    inClickTime,
    keyBy((click) => click.url),
  )

export const byHand = (input: Stream<Click>) =>
  byUrl(input).pipe(
    processKeyed(
      'window-views',
      { state: { views: mapState(t.number, t.number) }, emits: emits<string>() },
      {
        onRecord({ timestamp }, { state, timers }) {
          const start = Math.floor(timestamp / sizeMs) * sizeMs
          timers.eventTime(start + sizeMs - 1)
          state.views.put(start, (state.views.get(start) ?? 0) + 1)
        },
        onTimer(at, { key, state, emit }) {
          const start = at + 1 - sizeMs
          emit(line(key, state.views.get(start) ?? 0, start))
          state.views.remove(start)
        },
      },
    ),
  )

export const byWindow = (input: Stream<Click>) =>
  byUrl(input).pipe(
    window('views', {
      assigner: tumbling({ sizeMs }),
      aggregate: countRecords(),
      result: (views, { key, start }) => line(key, views, start),
    }),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  for (const views of [byHand, byWindow]) {
    const lines = memorySink<string>()
    const job = defineJob('window-by-hand', { storage: memory() }, ({ source, sink }) =>
      views(source('clicks', memorySource(clicks))).pipe(sink('lines', lines)),
    )
    await job.run().done
    print(views === byHand ? 'by hand' : 'with window')
    for (const each of lines.committed) print(each)
  }
}

if (process.argv[1] === import.meta.filename) await main()
