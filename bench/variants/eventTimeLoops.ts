import type { Course } from '../course.js'
import { delayMs, TimedCourse, type TimedReading } from '../timedCourse.js'
import { type MutableSum, meanInPlace } from './handWritten.js'
import { TimeHeap } from './timeHeap.js'

export const minuteMs = 60_000
export const windowMs = 10 * minuteMs

/** Whole numbers: in which order results are added up does not matter. */
export const tenthsOf = ({ sum, count }: { readonly sum: number; readonly count: number }): number => Math.round((sum / count) * 10)

/** Goes over the readings with the same watermark as `boundedOutOfOrderness`. */
function eachTimed(course: Course, onReading: (reading: TimedReading, atMs: number) => void, onWatermark: (watermarkMs: number) => void): void {
  const timed = new TimedCourse(course)
  const { readings } = timed
  let newestMs = Number.NEGATIVE_INFINITY
  for (let piece = timed.next(); piece !== undefined; piece = timed.next())
    for (let index = piece.from; index < piece.to; index += 1) {
      const reading = readings[index] as TimedReading
      const atMs = timed.atMs(reading)
      onReading(reading, atMs)
      if (atMs <= newestMs) continue
      newestMs = atMs
      onWatermark(newestMs - delayMs - 1)
    }
}

const minuteOf = (atMs: number): number => atMs - (atMs % minuteMs)

type Minutes = Map<number, Map<string, MutableSum>>

function addTo(minutes: Minutes, minute: number, reading: TimedReading): void {
  let sums = minutes.get(minute)
  if (sums === undefined) {
    sums = new Map()
    minutes.set(minute, sums)
  }
  meanInPlace(sums, reading)
}

/** One `Map` of sums for each open minute. */
export function windowsLoop(course: Course): void {
  const minutes: Minutes = new Map()
  let nextEndMs = Number.NaN
  eachTimed(
    course,
    (reading, atMs) => addTo(minutes, minuteOf(atMs), reading),
    (watermarkMs) => {
      if (Number.isNaN(nextEndMs)) nextEndMs = minuteOf(watermarkMs) + minuteMs
      for (; nextEndMs - 1 <= watermarkMs; nextEndMs += minuteMs) {
        for (const sum of minutes.get(nextEndMs - minuteMs)?.values() ?? []) course.take(tenthsOf(sum))
        minutes.delete(nextEndMs - minuteMs)
      }
    },
  )
}

/** The same with windows that are made of ten minutes when they end. */
export function slidingLoop(course: Course): void {
  const minutes: Minutes = new Map()
  let nextEndMs = Number.NaN
  eachTimed(
    course,
    (reading, atMs) => addTo(minutes, minuteOf(atMs), reading),
    (watermarkMs) => {
      if (Number.isNaN(nextEndMs)) nextEndMs = minuteOf(watermarkMs) + minuteMs
      for (; nextEndMs - 1 <= watermarkMs; nextEndMs += minuteMs) {
        const merged = new Map<string, MutableSum>()
        for (let minute = nextEndMs - windowMs; minute < nextEndMs; minute += minuteMs)
          for (const [device, { sum, count }] of minutes.get(minute) ?? []) {
            const into = merged.get(device)
            if (into === undefined) merged.set(device, { sum, count })
            else {
              into.sum += sum
              into.count += count
            }
          }
        for (const sum of merged.values()) course.take(tenthsOf(sum))
        minutes.delete(nextEndMs - windowMs)
      }
    },
  )
}

interface Due extends MutableSum {
  /** The timers that are set. */
  readonly due: number[]
}

/** A sum per key, and a heap of when which of them is to be told and forgotten: the end of the minute of each reading. */
export function timersLoop(course: Course): void {
  const sums = new Map<string, Due>()
  const timers = new TimeHeap<Due>()
  eachTimed(
    course,
    (reading, atMs) => {
      let state = sums.get(reading.device)
      if (state === undefined) {
        state = { sum: 0, count: 0, due: [] }
        sums.set(reading.device, state)
      }
      state.sum += reading.celsius
      state.count += 1
      const endMs = minuteOf(atMs) + minuteMs - 1
      if (state.due.includes(endMs)) return
      state.due.push(endMs)
      timers.push(endMs, state)
    },
    (watermarkMs) => {
      while (timers.firstMs <= watermarkMs) {
        const endMs = timers.firstMs
        const state = timers.pop()
        state.due.splice(state.due.indexOf(endMs), 1)
        if (state.count > 0) course.take(tenthsOf(state))
        state.sum = 0
        state.count = 0
      }
    },
  )
}
