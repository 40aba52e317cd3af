import * as t from 'io-ts'
import { groupBy, map, mergeMap, type Observable, type OperatorFunction, Subject, scan } from 'rxjs'
import { type CheckpointStorage, checkpointed, keyBy, type Stream, statefulMap } from 'rxweir'
import type { Reading } from '../readings.js'
import { Stopwatch, type Timed } from '../sideBySide.js'
import { noSum, running } from '../steps.js'
import { Results } from '../twins/results.js'
import { HandJournal } from './handJournal.js'

/** So many values come in each turn of the event loop. */
const valuesPerTurn = 1_000

const plain: OperatorFunction<Reading, number> = (readings) =>
  readings.pipe(
    groupBy(({ device }) => device),
    mergeMap((group) =>
      group.pipe(
        scan(({ sum, count }, { celsius }) => ({ sum: sum + celsius, count: count + 1 }), noSum),
        map(({ sum, count }) => sum / count),
      ),
    ),
  )

const state = t.type({ sum: t.number, count: t.number })

const recoverable = (storage: CheckpointStorage, journal: boolean): OperatorFunction<Reading, number> =>
  checkpointed('pipeline', { storage, journal, checkpoints: { intervalMs: 1_000 } }, (readings: Stream<Reading>) =>
    readings.pipe(
      keyBy(({ device }) => device),
      statefulMap('mean', { state, initial: noSum }, running),
    ),
  )

/** From the first value to the last result, of values that come whether or not anybody is ready. */
async function driven(readings: readonly Reading[], pipeline: (values: Observable<Reading>) => Observable<number>): Promise<Timed> {
  const stopwatch = new Stopwatch()
  const results = new Results()
  const values = new Subject<Reading>()
  let left = readings.length
  await new Promise<void>((resolve, reject) => {
    const running = pipeline(values).subscribe({
      next(mean) {
        results.take(mean)
        left -= 1
        if (left > 0) return
        stopwatch.end()
        setImmediate(() => {
          running.unsubscribe()
          resolve()
        })
      },
      error: reject,
    })
    let next = 0
    const turn = (): void => {
      for (const end = Math.min(readings.length, next + valuesPerTurn); next < end; next += 1) values.next(readings[next] as Reading)
      if (next < readings.length) setImmediate(turn)
    }
    stopwatch.begin()
    turn()
  })
  return stopwatch.timed(results.made)
}

export const plainly = (readings: readonly Reading[]): Promise<Timed> => driven(readings, plain)

export const checkpointedOver = (readings: readonly Reading[], storage: CheckpointStorage, journal: boolean): Promise<Timed> =>
  driven(readings, recoverable(storage, journal))

/** Lines are noted down, and go into the pipeline once they are durable. There are no checkpoints. */
export async function behindHandJournal(readings: readonly Reading[], path: string): Promise<Timed> {
  const durable = new Subject<Reading>()
  const waiting: Reading[] = []
  let told = 0
  const journal = await HandJournal.open(path, (lines) => {
    for (let index = 0; index < lines.length; index += 1) durable.next(waiting[told + index] as Reading)
    told += lines.length
  })
  const timed = await driven(readings, (values) => {
    values.subscribe((reading) => {
      waiting.push(reading)
      journal.push(JSON.stringify(reading))
    })
    return durable.pipe(plain)
  })
  await journal.close()
  return timed
}
