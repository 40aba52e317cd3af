import { Subject } from 'rxjs'
import { records, schedulerClock, values } from 'rxweir'
import type { Reading } from '../readings.js'
import { Stopwatch, type Timed } from '../sideBySide.js'
import type { PlainPair } from './plainPairs.js'
import { Results } from './results.js'
import { TickingScheduler } from './tickingScheduler.js'

const valuesPerMs = 10
/** So long after the last value nothing waits any more. */
const restMs = 10

/**
 * Values of two streams by turns, in virtual time, the same for both: where streams meet, and where a clock decides, results are
 * equal only where nothing else does. So the twin has no job around it, and takes no checkpoints.
 */
export function runPlain(readings: readonly Reading[], passes: number, pair: PlainPair, way: 'rxjs' | 'twin'): Timed {
  const stopwatch = new Stopwatch()
  const results = new Results()
  const scheduler = new TickingScheduler()
  const [first, second] = [new Subject<Reading>(), new Subject<Reading>()]
  const made =
    way === 'rxjs'
      ? first.pipe(pair.rxjs(second, scheduler))
      : first.pipe(records({ clock: schedulerClock(scheduler) }), pair.twin(second), values<unknown>())
  made.subscribe((result) => results.take(result))
  stopwatch.begin()
  for (let pass = 0, at = 0; pass < passes; pass += 1)
    for (let index = 0; index < readings.length; index += 1, at += 1) {
      if (at % valuesPerMs === 0) scheduler.tick()
      const input = index % 2 === 0 ? first : second
      input.next(readings[index] as Reading)
    }
  first.complete()
  second.complete()
  for (let ms = 0; ms < restMs; ms += 1) scheduler.tick()
  stopwatch.end()
  return stopwatch.timed(results.made)
}
