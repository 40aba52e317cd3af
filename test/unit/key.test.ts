import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { BackendError, StreamError } from '../../lib/errors.js'
import { decodeKey, encodeKey, type Key, keyBigintDigitsMax, keyDepthMax, keyOfMapKey, mapKey, normalKey } from '../../lib/key.js'
import texts from '../golden/keys.json' with { type: 'json' }
import { keyValues } from '../golden/keyValues.js'

function invalid(key: unknown): unknown {
  try {
    normalKey(key)
    return undefined
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== 'KEY_INVALID') throw error
    return error.details['found']
  }
}

function corrupt(text: string): boolean {
  try {
    decodeKey(text)
    return false
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'SNAPSHOT_CORRUPT') throw error
    return true
  }
}

/** Equality of keys, as the documentation has it: written apart from the encoding, which it judges. */
function same(a: Key, b: Key): boolean {
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((part: Key, index) => same(part, b[index] as Key))
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

const text = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    '',
    '10',
    '12n',
    'NaN',
    'null',
    '@0',
    '[]',
    '\u0000',
    '\u0000[]',
    '\u0000\u0000',
    '\ud800',
    '\udc00\ud800',
    '"',
    '\\',
  ),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
)
const { key } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof<fc.Arbitrary<Key>[]>(
      text,
      fc.constantFrom(0, -0, Number.NaN, 10, 1, 2 ** 53),
      fc.double(),
      fc.bigInt(),
      fc.bigInt({ min: -3n, max: 12n }),
      fc.boolean(),
      fc.constant(null),
      fc.date({ noInvalidDate: true }),
      fc.constantFrom(0, 1, 10).map((ms) => new Date(ms)),
    ),
    fc.array(tie('key'), { maxLength: 3 }),
  ),
}))

describe('format 1 is frozen', () => {
  test('every text that was ever written has its key here', () => {
    expect(Object.keys(keyValues)).toEqual(Object.keys(texts))
  })
  test.each(Object.entries(texts))('%s', (title, written) => {
    expect(encodeKey(normalKey(keyValues[title]))).toBe(written)
    expect(decodeKey(written)).toStrictEqual(keyValues[title])
  })
})

describe('the text of a key', () => {
  test.prop([key], { numRuns: 500 })('reads back', (raw) => {
    const normal = normalKey(raw)
    expect(decodeKey(encodeKey(normal))).toStrictEqual(normal)
    expect(keyOfMapKey(mapKey(normal))).toStrictEqual(normal)
  })

  test.prop([key, key], { numRuns: 2_000 })('is the same only for the same key', (left, right) => {
    const [a, b] = [normalKey(left), normalKey(right)]
    expect(encodeKey(a) === encodeKey(b)).toBe(same(a, b))
    expect(new Map([[mapKey(a), 1]]).has(mapKey(b))).toBe(same(a, b))
  })

  test('keys that look alike are all different', () => {
    const alike: Key[] = [
      '10',
      10,
      10n,
      new Date(10),
      [10],
      ['10'],
      '[10]',
      '@10',
      '10n',
      '\u0000[10]',
      '\u0000@10',
      '\u0000',
      '',
      [],
      [[]],
      null,
      'null',
      true,
      'true',
      Number.NaN,
      'NaN',
    ]
    expect(new Set(alike.map((each) => encodeKey(each))).size).toBe(alike.length)
    expect(new Set(alike.map((each) => mapKey(each))).size).toBe(alike.length)
  })

  test('a string of a megabyte, plain or full of NUL and surrogates', () => {
    for (const unit of ['x', '\u0000', '\ud800', '"']) {
      const long = unit.repeat(2 ** 20)
      expect(decodeKey(encodeKey(['a', long]))).toStrictEqual(['a', long])
      expect(keyOfMapKey(mapKey(long))).toBe(long)
    }
  })

  test('has a place in UTF-8', () => {
    const written = encodeKey('\ud800')
    expect(new TextDecoder().decode(new TextEncoder().encode(written))).toBe(written)
  })
})

describe('a normal key', () => {
  test('has one zero', () => {
    expect(Object.is(normalKey(-0), 0)).toBe(true)
    expect(normalKey([-0, [-0]])).toStrictEqual([0, [0]])
  })

  test('does not change when what it was made of does', () => {
    const date = new Date(0)
    const parts: Key[] = ['a', date]
    const normal = normalKey(parts) as readonly Key[]
    parts.push('b')
    date.setTime(1)
    expect(normal).toStrictEqual(['a', new Date(0)])
    expect(Object.isFrozen(normal)).toBe(true)
  })

  test('a plain string or number is its own key in a Map', () => {
    expect([mapKey('ada'), mapKey(''), mapKey(1.5), mapKey(2n), mapKey(true), mapKey(null)]).toStrictEqual(['ada', '', 1.5, 2n, true, null])
  })
})

describe('what cannot be a key is refused with its kind', () => {
  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [{}, 'object'],
    [Object.create(null), 'object'],
    [() => 1, 'function'],
    [Symbol('secret'), 'symbol'],
    [new Map(), 'Map'],
    [new Uint8Array(1), 'Uint8Array'],
    [new Date(Number.NaN), 'invalid Date'],
    [Object.create(Date.prototype), 'Date'],
    [['a', undefined], 'undefined'],
    [Object.assign([], { 1: 'b' }), 'undefined'],
    [['a', [{}]], 'object'],
    [10n ** BigInt(keyBigintDigitsMax), `bigint of more than ${keyBigintDigitsMax} digits`],
    [[-(10n ** BigInt(keyBigintDigitsMax))], `bigint of more than ${keyBigintDigitsMax} digits`],
  ])('%# %o', (raw, found) => {
    expect(invalid(raw)).toBe(found)
  })

  test('arrays beyond the limit, and arrays within themselves', () => {
    let deep: Key = 'a'
    for (let level = 0; level < keyDepthMax; level += 1) deep = [deep]
    expect(decodeKey(encodeKey(normalKey(deep)))).toStrictEqual(deep)
    expect(invalid([deep])).toBe(`arrays nested more than ${keyDepthMax} levels`)
    expect(corrupt(`[${encodeKey(deep)}]`)).toBe(true)
    const cycle: unknown[] = []
    cycle.push(cycle, cycle)
    expect(invalid(cycle)).toBe(`arrays nested more than ${keyDepthMax} levels`)
  })

  test('the longest bigint reads back', () => {
    const longest = -(10n ** BigInt(keyBigintDigitsMax)) + 1n
    expect(decodeKey(encodeKey(normalKey(longest)))).toBe(longest)
  })
})

describe('text that was never written is refused', () => {
  test.each([
    '',
    ' ',
    '"',
    '"a',
    '"\\"',
    '"\\',
    '"\\x"',
    '"\n"',
    '"\\u0061"',
    '"a"b',
    'a',
    '-0',
    '01',
    '1.0',
    '1e0',
    '+1',
    '.5',
    '0x10',
    ' 1',
    '1 ',
    '1e999',
    'undefined',
    'True',
    'nan',
    '-NaN',
    'n',
    '-n',
    '01n',
    '-0n',
    '1.5n',
    '0x1n',
    '1nn',
    '@',
    '@a',
    '@1.5',
    '@-0',
    '@8640000000000001',
    '@NaN',
    '@"1"',
    '[',
    ']',
    '[1',
    '[1,',
    '[,]',
    '[1,]',
    '[1 ,2]',
    '[1]]',
    '[1][2]',
    '[1]2',
    '[["a"]',
    '{}',
    '\u0000',
  ])('%j', (written) => {
    expect(corrupt(written)).toBe(true)
  })

  test('however deep or long it is', () => {
    expect(corrupt('['.repeat(1e6))).toBe(true)
    expect(corrupt(`${'9'.repeat(1e6)}n`)).toBe(true)
    expect(corrupt('9'.repeat(1e6))).toBe(true)
    expect(corrupt(`"${'\\'.repeat(1e6)}`)).toBe(true)
  })

  const pieces = ['[', ']', ',', '"', '\\', '@', '1', '-', 'n', '0', '.', 'e', 'null', 'NaN', 'Infinity', '"a"', ' ']
  test.prop(
    [
      fc.oneof(
        fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => all.join('')),
        fc.string(),
      ),
    ],
    { numRuns: 2_000 },
  )('and whatever is read is written the same', (written) => {
    if (!corrupt(written)) expect(encodeKey(normalKey(decodeKey(written)))).toBe(written)
  })
})
