import fc from 'fast-check'
import { encodeTagged } from '../lib/taggedJson.js'

/** A value as text: two that look the same are the same. What can be stored is shown as it would be stored. */
export function shownAs(value: unknown): string {
  try {
    return encodeTagged(value)
  } catch {
    return fc.stringify(value)
  }
}

/** Throws unless two values look the same. */
export function sameShown(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [shownAs(found), shownAs(expected)]
  if (left !== right) throw new Error(`${what}: found ${left}, expected ${right}`)
}

/** Calls a function and throws if what it was given looks different afterwards. */
export function unchanged<A extends readonly unknown[], R>(what: string, call: (...given: A) => R, ...given: A): R {
  const before = given.map(shownAs)
  const result = call(...given)
  for (const [index, text] of before.entries()) {
    const after = shownAs(given[index])
    if (after !== text) throw new Error(`${what} changed what it was given: ${text} became ${after}`)
  }
  return result
}
