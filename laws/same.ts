import fc from 'fast-check'

/** Throws unless two values look the same, to the last bit that can be printed. */
export function same(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [fc.stringify(found), fc.stringify(expected)]
  if (left !== right) throw new Error(`${what}: found ${left}, expected ${right}`)
}
