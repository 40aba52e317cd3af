import type { Pieces } from './courseSource.js'
import { Meeting } from './meeting.js'
import type { TimedCourse, TimedReading } from './timedCourse.js'

/** A course as two streams, every second reading each. A piece begins when both have done with the one before. */
export function halves(course: TimedCourse): readonly [Pieces<TimedReading>, Pieces<TimedReading>] {
  const meeting = new Meeting(2, () => course.next())
  const half = (first: number): Pieces<TimedReading> => {
    const place = (index: number): number => Math.ceil((index - first) / 2)
    return {
      readings: course.readings.filter((_, index) => index % 2 === first),
      next: async () => {
        const piece = await meeting.arrive()
        return piece && { from: place(piece.from), to: place(piece.to) }
      },
    }
  }
  return [half(0), half(1)]
}
