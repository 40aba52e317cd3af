import { atLeast } from '../limits.js'

/** How many values an operator takes or skips. As in RxJS, less than none is none. */
export function wholeCount(count: unknown): number {
  if (typeof count === 'number' && count <= 0) return 0
  atLeast('count', count, 0)
  return count as number
}
