import { groupBy, mergeMap, Observable, type OperatorFunction } from 'rxjs'
import { type AnyKeyOperator, defineJob, keyBy } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { countingSink } from '../countingSink.js'
import type { Reading } from '../readings.js'
import { Stopwatch, type Timed } from '../sideBySide.js'
import { repeated } from './repeated.js'
import { Results } from './results.js'

export interface Course {
  readonly readings: readonly Reading[]
  readonly passes: number
  readonly keyed: boolean
}

/** From the first value to the last result; with keys a group for each. */
export function runRxjs({ readings, passes, keyed }: Course, operator: () => OperatorFunction<Reading, unknown>): Timed {
  const stopwatch = new Stopwatch()
  const results = new Results()
  const source = new Observable<Reading>((subscriber) => {
    for (let pass = 0; pass < passes; pass += 1)
      for (let index = 0; index < readings.length && !subscriber.closed; index += 1) subscriber.next(readings[index] as Reading)
    subscriber.complete()
  })
  const inGroups = source.pipe(
    groupBy(({ device }) => device),
    mergeMap((group) => group.pipe(operator())),
  )
  stopwatch.begin()
  ;(keyed ? inGroups : source.pipe(operator())).subscribe((result) => results.take(result))
  stopwatch.end()
  return stopwatch.timed(results.made)
}

/** The same as a job with a checkpoint to a directory every second, until the barrier behind the last result has come through. */
export async function runTwin({ readings, passes, keyed }: Course, twin: AnyKeyOperator<Reading, unknown>, folder: string): Promise<Timed> {
  const stopwatch = new Stopwatch()
  const results = new Results()
  const counting = countingSink<unknown>({ take: (result) => results.take(result), onBarrier: () => stopwatch.end() })
  await defineJob('twins', { storage: directory(folder), checkpoints: { intervalMs: 1_000 } }, ({ source, sink }) => {
    const values = source('readings', repeated(readings, { passes, onBegin: () => stopwatch.begin() }))
    const byDevice = keyBy(({ device }: Reading) => device)
    return keyed ? values.pipe(byDevice, twin, sink('results', counting)) : values.pipe(twin, sink('results', counting))
  }).run().done
  return stopwatch.timed(results.made)
}
