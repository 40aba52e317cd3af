import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { hasCode } from '../../lib/errors.js'
import { normalKey } from '../../lib/key.js'
import { defaultMaxParallelism, keyGroupOf, keyGroupRange, keyHash, maxParallelismMax, murmurHash, operatorIndexOf } from '../../lib/keyGroup.js'
import facts from '../golden/keyGroups.json' with { type: 'json' }

const strings = facts.strings as [key: string, hash: number, group: number, ofThree: number, ofFour: number][]
const longs = facts.longs as [key: string, hash: number, group: number][]

const refused = (work: () => unknown): boolean => {
  try {
    work()
    return false
  } catch (error) {
    return hasCode(error, 'OPTION_INVALID')
  }
}

describe('key groups are those of Flink', () => {
  test('the spread of a hash', () => {
    expect([0, 1, 42].map(murmurHash)).toEqual([593689054, 68075478, 1134849565])
    for (const [hash, group] of facts.groupOfHash[128]) expect([hash, murmurHash(hash!) % 128]).toEqual([hash, group])
    for (const [hash, group] of facts.groupOfHash[10]) expect([hash, murmurHash(hash!) % 10]).toEqual([hash, group])
  })

  test.each(strings)('the string %j', (key, hash, group, ofThree, ofFour) => {
    expect(keyHash(key)).toBe(hash)
    expect(keyGroupOf(key, 128)).toBe(group)
    expect(operatorIndexOf(group, 3, 128)).toBe(ofThree)
    expect(operatorIndexOf(group, 4, 128)).toBe(ofFour)
  })

  test.each(longs)('the long %s, as a bigint and as a number', (text, hash, group) => {
    expect(keyHash(BigInt(text))).toBe(hash)
    expect(keyGroupOf(BigInt(text), 128)).toBe(group)
    if (Number.isSafeInteger(Number(text))) expect(keyHash(Number(text))).toBe(hash)
  })

  test('the ranges of the instances', () => {
    for (const { maxParallelism, parallelism, ranges } of facts.ranges)
      ranges.forEach(([first, last], index) => {
        expect(keyGroupRange(index, parallelism, maxParallelism)).toEqual({ first, last })
      })
  })

  test('the instance of a key group', () => {
    for (const { maxParallelism, parallelism, indices } of facts.indices)
      expect(indices.map((_, group) => operatorIndexOf(group, parallelism, maxParallelism))).toEqual(indices)
  })

  test('the number of key groups when nobody chooses', () => {
    expect(facts.defaults.map(([parallelism]) => defaultMaxParallelism(parallelism!))).toEqual(facts.defaults.map(([, expected]) => expected))
  })
})

describe('every other key has a group for ever', () => {
  test.each([
    [true, 3569038],
    [false, 97196323],
    [null, 3392903],
    [0.5, 47607],
    [Number.NaN, 78043],
    [2 ** 53, 1160719165],
    [2n ** 64n, 682038312],
    [new Date(0), 2032],
    [['a', 1], 222485808],
  ])('the hash of %s', (key, hash) => {
    expect(keyHash(normalKey(key))).toBe(hash)
  })

  test('a number and the bigint of its value share a group, and equal keys always do', () => {
    expect(keyHash(-5)).toBe(keyHash(-5n))
    expect(keyHash(-0)).toBe(keyHash(0))
  })
})

test.prop([fc.integer({ min: 1, max: maxParallelismMax }), fc.nat(), fc.nat()])(
  'every key group belongs to the range of its instance',
  (max, p, g) => {
    const parallelism = 1 + (p % max)
    const group = g % max
    const { first, last } = keyGroupRange(operatorIndexOf(group, parallelism, max), parallelism, max)
    expect(first <= group && group <= last).toBe(true)
  },
)

test.prop([fc.integer({ min: 1, max: 300 }), fc.nat()])('the ranges of the instances follow one another without gaps', (max, p) => {
  const parallelism = 1 + (p % max)
  let next = 0
  for (let index = 0; index < parallelism; index += 1) {
    const { first, last } = keyGroupRange(index, parallelism, max)
    expect(first).toBe(next)
    next = last + 1
  }
  expect(next).toBe(max)
})

test.prop([fc.integer()])('the spread of a hash is a non-negative 32-bit integer', (hash) => {
  expect(murmurHash(hash)).toBeGreaterThanOrEqual(0)
  expect(murmurHash(hash) | 0).toBe(murmurHash(hash))
})

test.each([0, -1, 1.5, Number.NaN, maxParallelismMax + 1])('a maxParallelism of %s is refused', (max) => {
  expect(refused(() => keyGroupOf('a', max))).toBe(true)
  expect(refused(() => operatorIndexOf(0, 1, max))).toBe(true)
  expect(refused(() => keyGroupRange(0, 1, max))).toBe(true)
  expect(refused(() => defaultMaxParallelism(max))).toBe(true)
})

test('an instance or a key group beyond the end is refused, and so are more instances than key groups', () => {
  expect(refused(() => keyGroupRange(2, 2, 128))).toBe(true)
  expect(refused(() => operatorIndexOf(128, 2, 128))).toBe(true)
  expect(refused(() => operatorIndexOf(0, 129, 128))).toBe(true)
  expect(refused(() => operatorIndexOf(127, 128, 128))).toBe(false)
})
