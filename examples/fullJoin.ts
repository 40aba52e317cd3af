/**
 * Joins every record of one stream with every record of another that has the same key.
 *
 * `SELECT * FROM A INNER JOIN B WHERE A.id = B.id` by hand: Flink's `CoProcessFunction` on two connected streams, with a `ListState` for
 * each side. A record joins what has come from the other side so far, and waits for what will; so it does not matter which comes first.
 *
 * Both lists grow for ever. `intervalJoin` and `windowJoin` forget what can find no partner any more.
 *
 *     npm run example -- fullJoin
 */
import * as t from 'io-ts'
import { assignTimestamps, connectKeyed, defineJob, emits, keyBy, listState, monotonousTimestamps, type Stream } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

export const Entry = t.tuple([t.string, t.string, t.number])
/** An id, where it comes from, and when. */
export type Entry = t.TypeOf<typeof Entry>

const byId = (entries: Stream<Entry>) =>
  entries.pipe(
    assignTimestamps({ timestamp: ([, , timestamp]) => timestamp, watermarks: monotonousTimestamps() }),
    keyBy(([id]) => id),
  )
const pair = (left: Entry, right: Entry): string => `(${left}) => (${right})`

export const fullJoin = (lefts: Stream<Entry>, rights: Stream<Entry>) =>
  byId(lefts).pipe(
    connectKeyed(
      'full-join',
      byId(rights),
      { state: { lefts: listState(Entry), rights: listState(Entry) }, emits: emits<string>() },
      {
        onFirst(left, { state, emit }) {
          state.lefts.add(left)
          for (const right of state.rights) emit(pair(left, right))
        },
        onSecond(right, { state, emit }) {
          state.rights.add(right)
          for (const left of state.lefts) emit(pair(left, right))
        },
      },
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const pairs = memorySink<string>()
  const left: Entry[] = [
    ['a', 'stream-1', 1000],
    ['b', 'stream-1', 2000],
  ]
  const right: Entry[] = [
    ['a', 'stream-2', 3000],
    ['b', 'stream-2', 4000],
  ]
  const job = defineJob('full-join', { storage: memory() }, ({ source, sink }) =>
    fullJoin(source('left', memorySource(left)), source('right', memorySource(right))).pipe(sink('pairs', pairs)),
  )
  await job.run().done
  for (const each of pairs.committed) print(each)
}

if (process.argv[1] === import.meta.filename) await main()
