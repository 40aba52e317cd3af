import { BehaviorSubject, filter, map, Observable, withLatestFrom } from 'rxjs'
import type { Course } from '../course.js'
import type { Reading } from '../readings.js'
import { type Rule, RuledCourse } from '../ruled.js'
import { scanned } from './rxjs.js'

/** The mean of the readings that the rule of the moment lets through, which comes by `withLatestFrom`. */
export function withLatestRule(course: Course): void {
  const pieces = new RuledCourse(course)
  const rules = new BehaviorSubject<Rule>({ leastCelsius: 0 })
  const readings = new Observable<Reading>((subscriber) => {
    for (let step = pieces.next(); step !== undefined; step = pieces.next()) {
      if (step.rule !== undefined) rules.next(step.rule)
      for (let index = step.piece.from; index < step.piece.to; index += 1) subscriber.next(pieces.readings[index] as Reading)
    }
  })
  readings
    .pipe(
      withLatestFrom(rules),
      filter(([{ celsius }, { leastCelsius }]) => celsius >= leastCelsius),
      map(([reading]) => reading),
      scanned(),
    )
    .subscribe((mean) => course.take(mean))
}
