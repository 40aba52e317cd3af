/**
 * Remembers for an hour where a visit began, and for a week who was greeted.
 *
 * Flink's `StateTtlConfig`, as options of a state:
 *
 *     newBuilder(Time.hours(1))                              afterMs: 3_600_000
 *     UpdateType.OnCreateAndWrite / OnReadAndWrite           refresh: 'onWrite' (default) / 'onReadAndWrite'
 *     StateVisibility.NeverReturnExpired                     expired: 'hidden' (default)
 *                     ReturnExpiredIfNotCleanedUp            expired: 'untilRemoved'
 *     cleanupIncrementally(n, ...)                           cleanup: { rowsPerAccess: n }
 *     cleanupFullSnapshot()                                  cleanupFullSnapshot: true
 *     cleanupInRocksdbCompactFilter()                        cleanupInCompactFilter: true
 *
 * Unless told otherwise, what has expired is removed when its time has come, also where its key never comes again. Elements of a list and
 * entries of a map expire one by one. Flink knows only the time of the machine, which is the default here too; this program takes event
 * time, which a replay repeats.
 *
 *     npm run example -- stateTtl
 */
import * as t from 'io-ts'
import { defineJob, emits, keyBy, processKeyed, type Stream, valueState } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { Click, inClickTime } from './clicks.js'

const hourMs = 3_600_000

export const visits = (clicks: Stream<Click>) =>
  clicks.pipe(
    inClickTime,
    keyBy((click) => click.user),
    processKeyed(
      'visits',
      {
        state: {
          first: valueState(Click, { ttl: { afterMs: hourMs, refresh: 'onReadAndWrite', expired: 'hidden', time: 'event' } }),
          greeted: valueState(t.literal(true), { ttl: { afterMs: 7 * 24 * hourMs, refresh: 'onWrite', cleanupFullSnapshot: true, time: 'event' } }),
        },
        emits: emits<string>(),
      },
      {
        onRecord(click, { key, state, emit }) {
          // Reading keeps the visit alive, so it ends after an hour without a click.
          const first = state.first.value()
          if (first !== undefined) return emit(`${key} is at ${click.url}, and came in at ${first.url}`)
          state.first.update(click)
          emit(state.greeted.value() === true ? `${key} is back at ${click.url}` : `${key} is greeted at ${click.url}`)
          // Written once a week; reading it does not make it younger.
          if (state.greeted.value() === undefined) state.greeted.update(true)
        },
      },
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const at = (hours: number, user: string, url: string): Click => ({ user, url, timestamp: hours * hourMs })
  const input = [
    at(0, 'Mary', './home'),
    at(0.9, 'Mary', './cart'),
    at(1.8, 'Mary', './fav'),
    // Event time stands where the clicks before have brought it: without others it would stand still while Mary is away.
    at(2.9, 'Bob', './home'),
    at(3, 'Mary', './prod?id=1'),
    at(7 * 24 + 1, 'Cary', './home'),
    at(7 * 24 + 2, 'Mary', './home'),
  ]
  const lines = memorySink<string>()
  const job = defineJob('state-ttl', { storage: memory() }, ({ source, sink }) =>
    visits(source('clicks', memorySource(input))).pipe(sink('lines', lines)),
  )
  await job.run().done
  for (const line of lines.committed) print(line)
}

if (process.argv[1] === import.meta.filename) await main()
