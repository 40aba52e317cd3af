import fc from 'fast-check'

/** What is deeper, or leads back to itself, is left to fast-check. */
const depthMax = 500

/**
 * A value as text: two that look the same are the same. It has a text of its own, because what writes stored text is under law itself. What is
 * stored alike looks alike: an object without a prototype and an ordinary one, a `Buffer` and a `Uint8Array`.
 */
export function shownAs(value: unknown): string {
  try {
    return textOf(value, 0)
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

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`
    case 'bigint':
      return `${value}n`
    case 'boolean':
    case 'undefined':
      return `${value}`
    case 'object':
      return value === null ? 'null' : objectText(value, depth + 1)
    default:
      throw new TypeError(`a ${typeof value} has no text here`)
  }
}

function objectText(value: object, depth: number): string {
  if (depth > depthMax) throw new RangeError('too deep')
  if (value instanceof Uint8Array) return `Uint8Array[${value.join()}]`
  const listed = (values: Iterable<unknown>): string => `[${Array.from(values, (each) => textOf(each, depth)).join()}]`
  switch (Object.getPrototypeOf(value)) {
    case Array.prototype:
      if (Object.keys(value).length !== (value as readonly unknown[]).length) break
      return listed(value as readonly unknown[])
    case Map.prototype:
      return `Map${listed(value as ReadonlyMap<unknown, unknown>)}`
    case Set.prototype:
      return `Set${listed(value as ReadonlySet<unknown>)}`
    case Date.prototype:
      return `Date(${(value as Date).getTime()})`
    case ArrayBuffer.prototype:
      return `ArrayBuffer[${new Uint8Array(value as ArrayBuffer).join()}]`
    case Object.prototype:
    case null:
      if (Object.getOwnPropertySymbols(value).length > 0) break
      return `{${Object.entries(value)
        .map(([name, each]) => `${JSON.stringify(name)}:${textOf(each, depth)}`)
        .join()}}`
  }
  throw new TypeError('an object that has no text here')
}
