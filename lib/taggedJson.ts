/**
 * The readable text of state, format 1: JSON, where an object with one property named `$…` stands for what JSON cannot say.
 *
 *     undefined   {"$undefined":true}            bigint       {"$bigint":"12"}
 *     -0, NaN, …  {"$number":"-0"}               Date         {"$date":0}, {"$date":null} for an invalid one
 *     Map         {"$map":[["a",1]]}             Set          {"$set":[1]}
 *     Uint8Array  {"$bytes":"AQI="}              ArrayBuffer  {"$arrayBuffer":"AQI="}
 *     a plain object that looks like one of these: its name gets another `$` in front, {"$$date":"mine"}
 *
 * **Invariants** what is written reads back equal, else it is refused when it is written · what was written once reads back for
 * ever · reading never runs code, and never writes to anything but the value it builds.
 *
 * **Fault model** the text may be hostile: depth is limited, numbers of digits are limited, `__proto__` is data.
 *
 * Own enumerable properties named by strings are the data of an object. Objects without prototype come back as ordinary ones,
 * `Buffer` as `Uint8Array`, and a value that stands in two places comes back as two equal values.
 */
import { fromBase64, toBase64 } from './base64.js'
import type { ErrorDetails } from './errors.js'
import { BackendError, StreamError } from './errors.js'
import { jsonText } from './jsonText.js'
import { kindOf } from './kindOf.js'
import { NotEncodable, refusedWithin, stepTo } from './notEncodable.js'

/** How deep objects, arrays, maps and sets may nest. */
export const valueDepthMax = 500
/** How long a bigint may be: beyond, reading it takes longer than its size warrants. */
export const bigintDigitsMax = 100_000
/** Where the platform's maps and sets end. */
const entriesMax = 2 ** 24
/** Names of properties whose text is kept; programs have few, data that uses names as keys has many. */
const nameTextsMax = 1_000
const nameLengthMax = 64

const dollar = 36

/** Writes a value as text. Throws a `StreamError` `VALUE_NOT_ENCODABLE` that names the path for what would not read back the same. */
export function encodeTagged(value: unknown, where: ErrorDetails = {}): string {
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'string') return jsonText(value)
  try {
    return textOf(value, 0)
  } catch (error) {
    if (error instanceof NotEncodable) throw new StreamError('VALUE_NOT_ENCODABLE', { ...where, path: error.path(), found: error.found })
    // The only other end of a road: text longer than the platform's strings.
    if (error instanceof RangeError)
      throw new StreamError('VALUE_NOT_ENCODABLE', { ...where, found: 'a value too large for one text' }, { cause: error })
    throw error
  }
}

/** Reads what {@link encodeTagged} wrote. Throws a `BackendError` `SNAPSHOT_CORRUPT` for everything else. */
export function decodeTagged(text: string): unknown {
  const value = parsed(text)
  // No tag, and too short to be too deep: what JSON says is what was meant.
  if (text.length < 2 * valueDepthMax && !text.includes('$') && !text.includes('\\u0024')) return value
  return revived(value, 0)
}

// --- writing

function numberText(value: number): string {
  if (value !== 0 && value - value === 0) return `${value}`
  if (value === 0) return 1 / value > 0 ? '0' : '{"$number":"-0"}'
  return `{"$number":"${value}"}`
}

function bigintText(value: bigint): string {
  const digits = value.toString()
  if (digits.length > bigintDigitsMax) throw new NotEncodable(`bigint of more than ${bigintDigitsMax} digits`)
  return `{"$bigint":"${digits}"}`
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'number':
      return numberText(value)
    case 'string':
      return jsonText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return '{"$undefined":true}'
    case 'bigint':
      return bigintText(value)
    case 'object':
      return value === null ? 'null' : objectText(value, depth)
    default:
      throw new NotEncodable(typeof value)
  }
}

function objectText(value: object, depth: number): string {
  if (depth === valueDepthMax) throw new NotEncodable(`more than ${valueDepthMax} levels`, value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return plainText(value, depth)
  if (prototype === Array.prototype && Array.isArray(value)) return arrayText(value, depth)
  return builtInText(value, prototype, depth)
}

const nameTexts = new Map<string, string>()

/** `"name":`, remembered for the names that a program uses again and again. */
function nameText(name: string): string {
  const known = nameTexts.get(name)
  if (known !== undefined) return known
  const text = `${jsonText(name)}:`
  if (nameTexts.size < nameTextsMax && name.length <= nameLengthMax) nameTexts.set(name, text)
  return text
}

function plainText(value: object, depth: number): string {
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NotEncodable('property named by a symbol')
  const names = Object.keys(value)
  const looksLikeTag = names.length === 1 && names[0]!.charCodeAt(0) === dollar
  let text = looksLikeTag ? '{"$' : '{'
  let name = ''
  try {
    for (let index = 0; index < names.length; index += 1) {
      name = names[index]!
      const property = Object.getOwnPropertyDescriptor(value, name)
      if (property === undefined || property.get !== undefined || property.set !== undefined) throw new NotEncodable('accessor')
      if (index > 0) text += ','
      text += looksLikeTag ? nameText(name).slice(1) : nameText(name)
      const child: unknown = property.value
      text += typeof child === 'number' ? numberText(child) : textOf(child, depth + 1)
    }
  } catch (error) {
    throw refusedWithin(error, value, stepTo(name))
  }
  return `${text}}`
}

function arrayText(value: readonly unknown[], depth: number): string {
  const names = Object.keys(value)
  const count = value.length
  // Indices come first and in order: when the last of `count` names is the last index, there is no hole and no name beside them.
  if (names.length !== count || (count > 0 && names[count - 1] !== `${count - 1}`))
    throw new NotEncodable('array with holes or with named properties')
  let text = '['
  let index = 0
  try {
    for (; index < count; index += 1) {
      const entry = value[index]
      if (index > 0) text += ','
      text += typeof entry === 'number' ? numberText(entry) : textOf(entry, depth + 1)
    }
  } catch (error) {
    throw refusedWithin(error, value, `[${index}]`)
  }
  return `${text}]`
}

function setText(set: ReadonlySet<unknown>, depth: number): string {
  let text = ''
  let index = 0
  try {
    for (const entry of set) {
      if (index > 0) text += ','
      text += textOf(entry, depth + 1)
      index += 1
    }
  } catch (error) {
    throw refusedWithin(error, set, `[${index}]`)
  }
  return text
}

function mapText(map: ReadonlyMap<unknown, unknown>, depth: number): string {
  let text = ''
  let index = 0
  let part = 'key'
  try {
    for (const [key, entry] of map) {
      if (index > 0) text += ','
      part = 'key'
      text += `[${textOf(key, depth + 1)},`
      part = 'value'
      text += `${textOf(entry, depth + 1)}]`
      index += 1
    }
  } catch (error) {
    throw refusedWithin(error, map, `[${index}].${part}`)
  }
  return text
}

function builtInText(value: object, prototype: unknown, depth: number): string {
  if (isBytes(value)) return `{"$bytes":"${toBase64(value)}"}`
  if (Reflect.ownKeys(value).length > 0) throw new NotEncodable(kindOf(value))
  if (prototype === Date.prototype && isReally(value, Date.prototype.getTime)) {
    const ms = (value as Date).getTime()
    return `{"$date":${Number.isNaN(ms) ? 'null' : ms}}`
  }
  if (prototype === Map.prototype && isReally(value, Map.prototype.keys)) return `{"$map":[${mapText(value as Map<unknown, unknown>, depth)}]}`
  if (prototype === Set.prototype && isReally(value, Set.prototype.keys)) return `{"$set":[${setText(value as Set<unknown>, depth)}]}`
  if (prototype === ArrayBuffer.prototype && isReally(value, ArrayBuffer.prototype.slice))
    return `{"$arrayBuffer":"${toBase64(new Uint8Array(value as ArrayBuffer))}"}`
  throw new NotEncodable(kindOf(value))
}

/** `Buffer` too; not the other typed arrays, whose bytes depend on the machine. */
const isBytes = (value: object): value is Uint8Array => value instanceof Uint8Array && ArrayBuffer.isView(value)

/** Whether a value is what its prototype says: `Object.create(Map.prototype)` is no map. Methods of built-ins throw on anything else. */
function isReally(value: object, method: (this: never, ...args: never[]) => unknown): boolean {
  try {
    Reflect.apply(method, value, [0, 0])
    return true
  } catch {
    return false
  }
}

// --- reading

const corrupt = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { reason })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without its cause: the platform's message quotes the text, which may be private.
    throw corrupt('the text of a value is not JSON')
  }
}

/** Replaces the tags within what JSON.parse built, in place: that value is ours alone. */
function revived(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === valueDepthMax) throw corrupt(`a value nests more than ${valueDepthMax} levels`)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const entry: unknown = value[index]
      if (typeof entry === 'object' && entry !== null) value[index] = revived(entry, depth + 1)
    }
    return value
  }
  const object = value as { [name: string]: unknown }
  const names = Object.keys(object)
  const [first] = names
  if (names.length === 1 && first!.charCodeAt(0) === dollar) return untagged(first!, object[first!], depth)
  for (const name of names) {
    const child = object[name]
    if (typeof child !== 'object' || child === null) continue
    const next = revived(child, depth + 1)
    if (next !== child) define(object, name, next)
  }
  return object
}

/** Sets a property as data whatever its name is; plain assignment to `__proto__` would change the prototype. */
const define = (object: object, name: string, value: unknown): object =>
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })

function untagged(tag: string, content: unknown, depth: number): unknown {
  switch (tag) {
    case '$undefined':
      if (content === true) return undefined
      break
    case '$number':
      if (content === '-0' || content === 'NaN' || content === 'Infinity' || content === '-Infinity') return Number(content)
      break
    case '$bigint':
      if (typeof content === 'string' && content.length <= bigintDigitsMax && /^(0|-?[1-9][0-9]*)$/.test(content)) return BigInt(content)
      break
    case '$date':
      if (content === null) return new Date(Number.NaN)
      if (Number.isInteger(content) && Math.abs(content as number) <= 8.64e15) return new Date(content as number)
      break
    case '$map':
      if (isList(content)) return mapOf(content, depth)
      break
    case '$set':
      if (isList(content)) return setOf(content, depth)
      break
    case '$bytes':
      return bytesOf(content)
    case '$arrayBuffer':
      return bytesOf(content).buffer
    default:
      if (tag.charCodeAt(1) === dollar) return define({}, tag.slice(1), revived(content, depth + 1))
  }
  throw corrupt(`a value has a tag ${JSON.stringify(tag.slice(0, 20))} that was never written`)
}

const isList = (content: unknown): content is readonly unknown[] => Array.isArray(content) && content.length <= entriesMax

function mapOf(entries: readonly unknown[], depth: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (const entry of entries) {
    if (!Array.isArray(entry) || entry.length !== 2) throw corrupt('an entry of a map is not a pair')
    map.set(revived(entry[0], depth + 1), revived(entry[1], depth + 1))
  }
  if (map.size !== entries.length) throw corrupt('a map has a key twice')
  return map
}

function setOf(entries: readonly unknown[], depth: number): Set<unknown> {
  const set = new Set(entries.map((entry) => revived(entry, depth + 1)))
  if (set.size !== entries.length) throw corrupt('a set has an entry twice')
  return set
}

function bytesOf(content: unknown): Uint8Array<ArrayBuffer> {
  const bytes = typeof content === 'string' ? fromBase64(content) : undefined
  if (bytes === undefined) throw corrupt('bytes are not base64')
  return bytes
}
