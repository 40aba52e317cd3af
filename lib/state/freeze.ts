/**
 * Freezes plain objects and arrays, deeply, so that a user function that changes its state in place fails where it does so.
 *
 * `Object.freeze` throws on typed arrays with elements and does nothing for the contents of a Map, Set or Date: those are left
 * as they are, and the comparison of captures finds them (`STATE_MUTATED`).
 */
export function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (Array.isArray(value)) {
    Object.freeze(value)
    for (const entry of value) freezeDeep(entry)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return
  Object.freeze(value)
  for (const name of Object.keys(value)) freezeDeep((value as Record<string, unknown>)[name])
}
