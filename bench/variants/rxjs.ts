import { filter, groupBy, map, mergeMap, Observable, type OperatorFunction, scan, share } from 'rxjs'
import type { Course } from '../course.js'
import type { Reading } from '../readings.js'
import { calibrated, fahrenheit, noSum, plausible, rounded } from '../steps.js'
import { type MutableSum, meanInPlace } from './handWritten.js'

/**
 * As rxjs `from` goes over an array, but it does not complete: taking a million groups down again takes minutes, and is no part
 * of what is measured.
 */
const readingsOf = (course: Course): Observable<Reading> =>
  new Observable((subscriber) => {
    const { readings } = course
    for (let piece = course.next(); piece !== undefined; piece = course.next())
      for (let index = piece.from; index < piece.to && !subscriber.closed; index += 1) subscriber.next(readings[index] as Reading)
  })

export const scanned = (): OperatorFunction<Reading, number> => (source) =>
  new Observable((subscriber) => {
    const states = new Map<string, MutableSum>()
    return source.pipe(scan((_mean: number, reading: Reading) => meanInPlace(states, reading), 0)).subscribe(subscriber)
  })

const grouped: OperatorFunction<Reading, number> = (source) =>
  source.pipe(
    groupBy((reading) => reading.device),
    mergeMap((readings) =>
      readings.pipe(
        scan(({ sum, count }, { celsius }) => ({ sum: sum + celsius, count: count + 1 }), noSum),
        map(({ sum, count }) => sum / count),
      ),
    ),
  )

const finish = (course: Course, means: Observable<number>): void => void means.subscribe((mean) => course.take(mean))

/** One `scan` that keeps a `Map`. */
export const scanLoop = (course: Course): void => finish(course, readingsOf(course).pipe(scanned()))

/** A group per key, with a `scan` in each. */
export const groups = (course: Course): void => finish(course, readingsOf(course).pipe(grouped))

export const chainedScan = (course: Course): void =>
  finish(course, readingsOf(course).pipe(map(calibrated), filter(plausible), scanned(), map(fahrenheit), map(rounded)))

export const chainedGroups = (course: Course): void =>
  finish(course, readingsOf(course).pipe(map(calibrated), filter(plausible), grouped, map(fahrenheit), map(rounded)))

export const sharedScan = (course: Course): void =>
  finish(
    course,
    readingsOf(course).pipe(map(calibrated), share(), filter(plausible), share(), scanned(), share(), map(fahrenheit), share(), map(rounded)),
  )

export const sharedGroups = (course: Course): void =>
  finish(
    course,
    readingsOf(course).pipe(map(calibrated), share(), filter(plausible), share(), grouped, share(), map(fahrenheit), share(), map(rounded)),
  )
