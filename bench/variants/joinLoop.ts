import type { Course } from '../course.js'
import { delayMs, TimedCourse, type TimedReading } from '../timedCourse.js'

/** So far from each other two readings of a key may be. */
export const apartMs = 6_000

interface Kept {
  readonly atMs: number
  readonly reading: TimedReading
}

/** By how much the first is warmer, in tenths. */
export const warmerBy = (first: TimedReading, second: TimedReading): number => Math.round((first.celsius - second.celsius) * 10)

/** The readings of a key that something may still come for. */
function keptOf(kept: Map<string, Kept[]>, device: string): Kept[] {
  let list = kept.get(device)
  if (list === undefined) {
    list = []
    kept.set(device, list)
  }
  return list
}

/** A `Map` of lists for each of two streams. What event time has passed is thrown away when its key comes again. */
export function joinLoop(course: Course): void {
  const timed = new TimedCourse(course)
  const { readings } = timed
  const sides = [new Map<string, Kept[]>(), new Map<string, Kept[]>()] as const
  const newestMs = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let piece = timed.next(); piece !== undefined; piece = timed.next())
    for (let index = piece.from; index < piece.to; index += 1) {
      const reading = readings[index] as TimedReading
      const atMs = timed.atMs(reading)
      const side = index % 2
      keptOf(sides[side as 0 | 1], reading.device).push({ atMs, reading })
      const others = keptOf(sides[(1 - side) as 0 | 1], reading.device)
      const passedMs = Math.min(newestMs[0] as number, newestMs[1] as number) - delayMs - 1 - apartMs
      let live = 0
      for (const other of others) {
        if (other.atMs <= passedMs) continue
        others[live] = other
        live += 1
        if (Math.abs(other.atMs - atMs) > apartMs) continue
        course.take(side === 0 ? warmerBy(reading, other.reading) : warmerBy(other.reading, reading))
      }
      others.length = live
      if (atMs > (newestMs[side] as number)) newestMs[side] = atMs
    }
}
