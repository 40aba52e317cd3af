import type { Course, Piece } from './course.js'
import type { Reading } from './readings.js'

export interface TimedReading extends Reading {
  /** Event time within a pass; passes follow each other: {@link TimedCourse.atMs}. */
  readonly atMs: number
}

/** Each key occurs so often in event time. */
const perKeyMs = 6_000
/** A reading is up to so much older than its place in the order says. */
export const delayMs = 5_000
/** Event time begins here, at a whole minute: real times are too large for the small integers of the platform. */
const beginMs = 1_780_000_020_000

/** A course whose readings have event times, out of order by a bound. Time goes on from pass to pass. */
export class TimedCourse {
  readonly readings: readonly TimedReading[]
  private readonly passMs: number
  private shiftMs: number

  constructor(private readonly course: Course) {
    const keys = new Set(course.readings.map(({ device }) => device)).size
    const stepMs = perKeyMs / keys
    this.passMs = Math.ceil(course.readings.length * stepMs)
    this.shiftMs = -this.passMs
    let seed = 20_260_102
    this.readings = course.readings.map(({ device, celsius }, index) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return { device, celsius, atMs: beginMs + Math.floor(index * stepMs) - Math.floor((seed / 2 ** 32) * (delayMs + 1)) }
    })
  }

  next(): Piece | undefined {
    const piece = this.course.next()
    if (piece?.from === 0) this.shiftMs += this.passMs
    return piece
  }

  /** The event time of a reading of the present piece. */
  atMs(reading: TimedReading): number {
    return reading.atMs + this.shiftMs
  }
}
