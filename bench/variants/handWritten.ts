import type { Course } from '../course.js'
import type { Reading } from '../readings.js'
import { calibrated, fahrenheit, plausible, rounded } from '../steps.js'

/** What is changed in place, as by hand one does. */
export interface MutableSum {
  sum: number
  count: number
}

export function meanInPlace(states: Map<string, MutableSum>, { device, celsius }: Reading): number {
  let state = states.get(device)
  if (state === undefined) {
    state = { sum: 0, count: 0 }
    states.set(device, state)
  }
  state.sum += celsius
  state.count += 1
  return state.sum / state.count
}

/** A loop over a `Map` by hand. */
export function loop(course: Course): void {
  const states = new Map<string, MutableSum>()
  const { readings } = course
  for (let piece = course.next(); piece !== undefined; piece = course.next())
    for (let index = piece.from; index < piece.to; index += 1) course.take(meanInPlace(states, readings[index] as Reading))
}

/** The same with new states in place of changed ones, as everything that takes snapshots in the background needs them. */
export function immutableLoop(course: Course): void {
  const states = new Map<string, Readonly<MutableSum>>()
  const { readings } = course
  for (let piece = course.next(); piece !== undefined; piece = course.next())
    for (let index = piece.from; index < piece.to; index += 1) {
      const { device, celsius } = readings[index] as Reading
      const before = states.get(device)
      const sum = (before === undefined ? 0 : before.sum) + celsius
      const count = (before === undefined ? 0 : before.count) + 1
      states.set(device, { sum, count })
      course.take(sum / count)
    }
}

/** The five steps, by hand. */
export function chainedLoop(course: Course): void {
  const states = new Map<string, MutableSum>()
  const { readings } = course
  for (let piece = course.next(); piece !== undefined; piece = course.next())
    for (let index = piece.from; index < piece.to; index += 1) {
      const reading = calibrated(readings[index] as Reading)
      if (plausible(reading)) course.take(rounded(fahrenheit(meanInPlace(states, reading))))
    }
}
