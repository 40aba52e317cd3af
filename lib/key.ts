/**
 * Keys, and their one canonical text (format 1):
 *
 *     string     "ada"  as JSON text         bigint     12n
 *     number     3.25, NaN, -Infinity        boolean    true, false; null
 *     Date       @1700000000000              array      ["ada",[1,2n]]
 *
 * **Invariants** two keys have the same text only when they are equal (SameValueZero; dates by their time, arrays entry by
 * entry) · every text that was written reads back, and no other text is read.
 */
import { BackendError, StreamError } from './errors.js'
import { jsonText } from './jsonText.js'
import { kindOf } from './kindOf.js'

/** What a stream can be keyed by. Composite keys are arrays. */
export type Key = string | number | bigint | boolean | null | Date | readonly Key[]

/** How deep arrays may nest in a key. */
export const keyDepthMax = 32
/** How many digits a bigint in a key may have: reading longer ones takes longer than their size warrants. */
export const keyBigintDigitsMax = 1_000

const bigintEnd = 10n ** BigInt(keyBigintDigitsMax)

/**
 * Checks what a key selector returned, and makes equal keys alike: `-0` is `0`, arrays and dates are copied, so that nobody
 * can change a key that is in use. Throws a `StreamError` `KEY_INVALID`.
 */
export function normalKey(key: unknown): Key {
  if (typeof key === 'string') return key
  // Adding zero turns -0 into 0 and changes no other number.
  if (typeof key === 'number') return key + 0
  return normalAt(key, 0)
}

function normalAt(key: unknown, depth: number): Key {
  switch (typeof key) {
    case 'string':
    case 'boolean':
      return key
    case 'number':
      return key + 0
    case 'bigint':
      if (key >= bigintEnd || key <= -bigintEnd) throw new StreamError('KEY_INVALID', { found: `bigint of more than ${keyBigintDigitsMax} digits` })
      return key
    case 'object':
      if (key === null) return null
      if (Array.isArray(key)) return normalArray(key, depth)
      return normalDate(key)
    default:
      throw new StreamError('KEY_INVALID', { found: typeof key })
  }
}

function normalArray(key: readonly unknown[], depth: number): Key {
  if (depth === keyDepthMax) throw new StreamError('KEY_INVALID', { found: `arrays nested more than ${keyDepthMax} levels` })
  // Array.from visits holes too, and a hole is no key.
  return Object.freeze(Array.from(key, (part) => normalAt(part, depth + 1)))
}

function normalDate(key: object): Date {
  const ms = timeOf(key)
  if (ms === undefined) throw new StreamError('KEY_INVALID', { found: kindOf(key) })
  if (Number.isNaN(ms)) throw new StreamError('KEY_INVALID', { found: 'invalid Date' })
  return new Date(ms)
}

/** The time of a date of any realm; undefined for anything else, whatever prototype it claims. */
function timeOf(value: object): number | undefined {
  try {
    return Date.prototype.getTime.call(value)
  } catch {
    return undefined
  }
}

const nul = '\u0000'

/** A key as a primitive that a `Map` can find: strings and other primitives as they are, composites as text that no string has. */
export type MapKey = string | number | bigint | boolean | null

/** Takes a normal key. Injective: composites start with NUL, and strings that do get a second one. */
export function mapKey(key: Key): MapKey {
  if (typeof key === 'string') return key.charCodeAt(0) === 0 ? nul + key : key
  if (typeof key !== 'object' || key === null) return key
  return nul + encodeKey(key)
}

/** The way back from {@link mapKey}. */
export function keyOfMapKey(key: MapKey): Key {
  if (typeof key !== 'string' || key.charCodeAt(0) !== 0) return key
  return key.charCodeAt(1) === 0 ? key.slice(1) : decodeKey(key.slice(1))
}

/** The canonical text of a normal key. */
export function encodeKey(key: Key): string {
  switch (typeof key) {
    case 'string':
      return jsonText(key)
    case 'bigint':
      return `${key}n`
    case 'object':
      if (key === null) return 'null'
      return key instanceof Date ? `@${key.getTime()}` : `[${(key as readonly Key[]).map(encodeKey).join(',')}]`
    default:
      return `${key}`
  }
}

/** Reads a canonical text. Throws a `BackendError` `SNAPSHOT_CORRUPT` for any other. */
export function decodeKey(text: string): Key {
  const key = new KeyReader(text).whole()
  // One check for all that is nearly right: 01, 1e0, "\u0061", @1.5, -0n.
  if (encodeKey(key) !== text) throw corrupt('its text is not canonical')
  return key
}

const corrupt = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what: 'key', reason })

class KeyReader {
  private at = 0

  constructor(private readonly text: string) {}

  whole(): Key {
    const key = this.key(0)
    if (this.at !== this.text.length) throw corrupt('it goes on after its end')
    return key
  }

  private key(depth: number): Key {
    switch (this.text[this.at]) {
      case '"':
        return this.string()
      case '[':
        return this.array(depth)
      case '@':
        this.at += 1
        return this.date()
      default:
        return scalar(this.word())
    }
  }

  private array(depth: number): Key {
    if (depth === keyDepthMax) throw corrupt(`its arrays nest more than ${keyDepthMax} levels`)
    const parts: Key[] = []
    this.at += 1
    if (this.text[this.at] === ']') this.at += 1
    else
      for (let end = false; !end; this.at += 1) {
        parts.push(this.key(depth + 1))
        end = this.text[this.at] === ']'
        if (!end && this.text[this.at] !== ',') throw corrupt('an array is not closed')
      }
    return Object.freeze(parts)
  }

  private date(): Date {
    const date = new Date(Number(this.word()))
    if (Number.isNaN(date.getTime())) throw corrupt('a date is not one')
    return date
  }

  private string(): string {
    const start = this.at
    do {
      this.at += this.text[this.at] === '\\' ? 2 : 1
      if (this.at >= this.text.length) throw corrupt('a string is not closed')
    } while (this.text[this.at] !== '"')
    this.at += 1
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string
    } catch {
      // Without its cause: the platform's message quotes the text.
      throw corrupt('a string is not JSON text')
    }
  }

  private word(): string {
    const start = this.at
    while (this.at < this.text.length && this.text[this.at] !== ',' && this.text[this.at] !== ']') this.at += 1
    return this.text.slice(start, this.at)
  }
}

function scalar(word: string): Key {
  if (word === 'null') return null
  if (word === 'true') return true
  if (word === 'false') return false
  if (!word.endsWith('n')) return Number(word)
  if (word.length > keyBigintDigitsMax + 2 || !/^-?[0-9]+n$/.test(word)) throw corrupt('a bigint is not one')
  return BigInt(word.slice(0, -1))
}
