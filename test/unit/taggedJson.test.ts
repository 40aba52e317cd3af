import { isDeepStrictEqual } from 'node:util'
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { BackendError, StreamError } from '../../lib/errors.js'
import { bigintDigitsMax, decodeTagged, encodeTagged, valueDepthMax } from '../../lib/taggedJson.js'
import texts from '../golden/taggedJson.json' with { type: 'json' }
import { taggedValues } from '../golden/taggedValues.js'

/** What the encoder says of a value that it refuses. */
function refusal(value: unknown): { readonly path: unknown; readonly found: unknown } | undefined {
  try {
    encodeTagged(value)
    return undefined
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== 'VALUE_NOT_ENCODABLE') throw error
    return { path: error.details['path'], found: error.details['found'] }
  }
}

/** Whether the decoder refuses a text, with the one error it may raise. */
function corrupt(text: string): boolean {
  try {
    decodeTagged(text)
    return false
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'SNAPSHOT_CORRUPT') throw error
    return true
  }
}

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = wrap(value)
  return value
}

const hostileNames = ['__proto__', 'constructor', 'prototype', 'toString', 'toJSON', '$date', '$$date', '$', '$map', '', '10', 'a"b', '\ud800']
const name = fc.oneof(fc.constantFrom(...hostileNames), fc.string({ unit: 'binary' }))
const define = (entries: readonly (readonly [string, unknown])[]): object => {
  const object = {}
  for (const [key, value] of entries) Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  return object
}

/** Everything that can be written. */
const { value: storable } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, undefined, null, true, false),
      name,
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
    ),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map(define),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((entries) => new Set(entries)),
  ),
}))

describe('format 1 is frozen', () => {
  test('every text that was ever written has its value here', () => {
    expect(Object.keys(taggedValues)).toEqual(Object.keys(texts))
  })
  test.each(Object.entries(texts))('%s', (title, text) => {
    expect(encodeTagged(taggedValues[title])).toBe(text)
    expect(decodeTagged(text)).toEqual(taggedValues[title])
    expect(encodeTagged(decodeTagged(text))).toBe(text)
  })
})

describe('what is written reads back', () => {
  test.prop([storable], { numRuns: 500 })('whatever it is', (value) => {
    const text = encodeTagged(value)
    const back = decodeTagged(text)
    expect(isDeepStrictEqual(back, value)).toBe(true)
    expect(encodeTagged(back)).toBe(text)
    expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text)
  })

  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  })
  test.prop([anything], { numRuns: 500 })('or is refused, and nothing in between', (value) => {
    if (refusal(value) !== undefined) return
    expect(decodeTagged(encodeTagged(value))).toEqual(value)
  })

  test.prop([fc.jsonValue({ noUnicodeString: false })])('plain JSON without dollars is written as JSON writes it', (value) => {
    const plain = JSON.stringify(value)
    fc.pre(!plain.includes('$'))
    expect(encodeTagged(JSON.parse(plain))).toBe(plain)
  })

  test('an own property named __proto__ is data, and no prototype changes', () => {
    const back = decodeTagged('{"__proto__":{"polluted":{"$date":0}},"a":[{"__proto__":{"$bigint":"1"}}]}') as object
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(Object.keys(back)).toEqual(['__proto__', 'a'])
    expect((back as { a: object[] }).a.map((entry) => [Object.getPrototypeOf(entry) === Object.prototype, Object.values(entry)])).toEqual([
      [true, [1n]],
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('an object without prototype comes back as an ordinary one', () => {
    const bare = Object.assign(Object.create(null), { a: 1 })
    expect(Object.getPrototypeOf(decodeTagged(encodeTagged(bare)))).toBe(Object.prototype)
  })

  test('a Buffer comes back as bytes of its own', () => {
    const back = decodeTagged(encodeTagged({ bytes: Buffer.from('hello').subarray(1, 3) }))
    expect(back).toStrictEqual({ bytes: new Uint8Array([101, 108]) })
  })

  test('a long text with a date deep within', () => {
    const value = { rows: Array.from({ length: 1_000 }, (_, at) => ({ at, when: new Date(at) })) }
    expect(decodeTagged(encodeTagged(value))).toStrictEqual(value)
  })
})

describe('what would not read back is refused with its path', () => {
  class Money {
    constructor(readonly cents: number) {}
  }
  test.each<[string, unknown, string, string]>([
    ['a function', () => 1, 'value', 'function'],
    ['a symbol', { a: Symbol('secret') }, 'value.a', 'symbol'],
    ['a class instance', { items: [{ price: new Money(5) }] }, 'value.items[0].price', 'Money'],
    ['an instance in a key of a map', new Map([[new Money(5), 1]]), 'value[0].key', 'Money'],
    ['an instance in a value of a map', new Map([['a', { b: new Money(5) }]]), 'value[0].value.b', 'Money'],
    ['an instance in a set', new Set([1, new Money(5)]), 'value[1]', 'Money'],
    ['a name that is no identifier', { 'a b': /x/ }, 'value["a b"]', 'RegExp'],
    ['a boxed primitive', [new Number(1)], 'value[0]', 'Number'],
    ['a promise', [Promise.resolve()], 'value[0]', 'Promise'],
    ['a weak map', new WeakMap(), 'value', 'WeakMap'],
    ['an error', new Error('secret'), 'value', 'Error'],
    ['a subclass of Map', new (class Bag extends Map {})(), 'value', 'Bag'],
    ['a subclass of Array', new (class List extends Array {})(), 'value', 'array'],
    ['another typed array', new Float64Array(1), 'value', 'Float64Array'],
    ['a hole', { a: Object.assign([], { 2: 3 }) }, 'value.a', 'array with holes or with named properties'],
    ['a named property of an array', Object.assign([1], { extra: 1 }), 'value', 'array with holes or with named properties'],
    ['a named property that stands in for a hole', Object.assign([], { 1: 1, extra: 1 }), 'value', 'array with holes or with named properties'],
    ['a named property of a date', Object.assign(new Date(0), { zone: 'utc' }), 'value', 'Date'],
    [
      'an accessor',
      {
        get a() {
          return 1
        },
      },
      'value.a',
      'accessor',
    ],
    ['a property named by a symbol', { a: { [Symbol('secret')]: 1 } }, 'value.a', 'property named by a symbol'],
    ['something that only claims to be a map', Object.create(Map.prototype), 'value', 'Map'],
    ['something that only claims to be a date', Object.create(Date.prototype), 'value', 'Date'],
    ['something that only claims to be bytes', Object.create(Uint8Array.prototype), 'value', 'Uint8Array'],
    ['a bigint that is too long', { n: 10n ** BigInt(bigintDigitsMax) }, 'value.n', `bigint of more than ${bigintDigitsMax} digits`],
  ])('%s', (_, value, path, found) => {
    expect(refusal(value)).toEqual({ path, found })
  })

  test('the path ends at a member of a cycle', () => {
    const parent: { children: unknown[]; name: string } = { name: 'ada', children: [] }
    parent.children.push({ parent, also: parent })
    expect(refusal({ family: parent })).toEqual({ path: 'value.family.children', found: 'cycle' })
    const map = new Map<string, unknown>()
    map.set('me', map)
    expect(refusal(map)).toEqual({ path: 'value', found: 'cycle' })
  })

  test('the message names what the caller is, and no value', () => {
    const work = (): string => encodeTagged({ password: 'hunter2', f() {} }, { uid: 'totals' })
    expect(work).toThrow(/uid: "totals", path: "value.f", found: "function"/)
    expect(work).not.toThrow(/hunter2/)
  })

  test('what a proxy of the user throws passes as it is', () => {
    const own = new Error('mine')
    const proxy = new Proxy(
      { a: 1 },
      {
        ownKeys: () => {
          throw own
        },
      },
    )
    expect(() => encodeTagged({ proxy })).toThrow(own)
  })

  test('text beyond what a string can hold', () => {
    const half = 'x'.repeat(2 ** 28)
    expect(() => encodeTagged([half, half, half])).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }))
  })
})

describe('depth is limited, the same on both sides', () => {
  const wraps: [string, (inner: unknown) => unknown][] = [
    ['arrays', (inner) => [inner]],
    ['objects', (inner) => ({ a: inner })],
    ['objects that look like tags', (inner) => ({ $a: inner })],
    ['maps', (inner) => new Map([[inner, inner === 1 ? 2 : 1]])],
    ['sets', (inner) => new Set([inner])],
  ]
  test.each(wraps)('%s', (_, wrap) => {
    const deepest = nested(valueDepthMax, wrap)
    const text = encodeTagged(deepest)
    expect(encodeTagged(decodeTagged(text))).toBe(text)
    expect(refusal(nested(valueDepthMax + 1, wrap))?.found).toBe(`more than ${valueDepthMax} levels`)
    expect(corrupt(encodeTagged(wrap(0)).replace(/0|null/, () => text))).toBe(true)
  })

  test('a text that nests a million levels is refused', () => {
    expect(corrupt(`${'['.repeat(1e6)}${']'.repeat(1e6)}`)).toBe(true)
    expect(corrupt(`${'{"$$a":'.repeat(1e5)}1${'}'.repeat(1e5)}`)).toBe(true)
  })
})

describe('hostile text is refused', () => {
  test.each([
    '',
    ' ',
    '{',
    'undefined',
    'NaN',
    '[1,]',
    '{"a":1',
    '"\n"',
    '{"$unknown":1}',
    '{"\\u0024unknown":1}',
    '{"$constructor":1}',
    '{"$__proto__":{}}',
    '{"$undefined":false}',
    '{"$number":"1"}',
    '{"$number":1}',
    '{"$number":"__proto__"}',
    '{"$bigint":1}',
    '{"$bigint":"01"}',
    '{"$bigint":"-0"}',
    '{"$bigint":"1n"}',
    '{"$bigint":"0x1"}',
    '{"$bigint":" 1"}',
    '{"$bigint":""}',
    '{"$date":"2020"}',
    '{"$date":1.5}',
    '{"$date":8640000000000001}',
    '{"$date":1e999}',
    '{"$date":{}}',
    '{"$map":{}}',
    '{"$map":[1]}',
    '{"$map":[[1]]}',
    '{"$map":[[1,2,3]]}',
    '{"$map":[[1,2],[1,3]]}',
    '{"$map":null}',
    '{"$set":1}',
    '{"$set":[1,1]}',
    '{"$set":{"length":1}}',
    '{"$bytes":1}',
    '{"$bytes":"A"}',
    '{"$bytes":"AA"}',
    '{"$bytes":"AB=="}',
    '{"$bytes":"AAF="}',
    '{"$bytes":"A==="}',
    '{"$bytes":"===="}',
    '{"$bytes":"AA=A"}',
    '{"$bytes":"AA\u0100A"}',
    '{"$bytes":"AA-_"}',
    '{"$arrayBuffer":"?"}',
  ])('%j', (text) => {
    expect(corrupt(text)).toBe(true)
    expect(corrupt(`[${text}]`)).toBe(text !== ' ' && text !== '')
  })

  test('a bigint of a million digits is refused before it is read', () => {
    expect(corrupt(`{"$bigint":"${'9'.repeat(1e6)}"}`)).toBe(true)
  })

  test('the error does not quote the text', () => {
    expect(() => decodeTagged('{"password":"hunter2"')).not.toThrow(/hunter2/)
    expect(() => decodeTagged('{"password":"hunter2"')).toThrow(/SNAPSHOT_CORRUPT/)
  })

  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"$map":',
    '"$$":',
    '"$set":',
    '"$date":',
    '"$bytes":',
    '"__proto__":',
    '[]',
    '{}',
    '1',
    'null',
    '"a"',
    '\\u0024',
  ]
  test.prop(
    [
      fc.oneof(
        fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((all) => all.join('')),
        fc.string(),
      ),
    ],
    { numRuns: 1_000 },
  )('text of any kind is read or refused with one code, and changes nothing else', (text) => {
    if (!corrupt(text)) encodeTagged(decodeTagged(text))
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })

  test.prop([storable, fc.nat(), fc.string({ minLength: 0, maxLength: 2 })], { numRuns: 500 })('so is damaged text', (value, position, patch) => {
    const text = encodeTagged(value)
    const at = position % text.length
    const damaged = text.slice(0, at) + patch + text.slice(at + 1)
    if (!corrupt(damaged)) encodeTagged(decodeTagged(damaged))
  })
})
