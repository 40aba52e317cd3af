/**
 * Key groups, as Apache Flink has them: each key belongs for ever to one of `maxParallelism` groups, and contiguous ranges of
 * groups belong to the instances of an operator. State is stored by key group, so that it can move without being split.
 *
 * The hash of a key is part of the stored format (format 1): a string hashes as Java's `String`, a whole number up to 2^53 and a
 * bigint of 64 bits as Java's `Long`, so these keys lie in the groups where Flink has them; everything else hashes as the
 * string of its canonical text.
 */
import { ConfigurationError } from './errors.js'
import type { Key } from './key.js'
import { encodeKey } from './key.js'

/** The most key groups there can be. */
export const maxParallelismMax = 2 ** 15
/** The fewest that are chosen when nobody chooses. */
const maxParallelismDefault = 128

/** Both ends belong to the range. */
export interface KeyGroupRange {
  readonly first: number
  readonly last: number
}

const rotated = (bits: number, by: number): number => (bits << by) | (bits >>> (32 - by))

/** Spreads a 32-bit hash: murmur3 (x86, 32 bits, seed 0) of its four bytes, made non-negative. */
export function murmurHash(code: number): number {
  let hash = Math.imul(rotated(Math.imul(code, 0xcc9e2d51), 15), 0x1b873593)
  hash = (Math.imul(rotated(hash, 13), 5) + 0xe6546b64) ^ 4
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash ^= hash >>> 16
  if (hash >= 0) return hash
  // The smallest integer has no positive counterpart in 32 bits.
  return hash === -(2 ** 31) ? 0 : -hash
}

/** The hash of a normal key, 32 bits, signed. */
export function keyHash(key: Key): number {
  if (typeof key === 'string') return stringHash(key)
  if (typeof key === 'number' && Number.isSafeInteger(key)) return (key | 0) ^ (Math.floor(key / 2 ** 32) | 0)
  if (typeof key === 'bigint' && BigInt.asIntN(64, key) === key) return Number(BigInt.asIntN(32, key ^ (key >> 32n)))
  return stringHash(encodeKey(key))
}

/** `31 * hash + unit` over the UTF-16 units, as Java does. */
function stringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** The group of a normal key, from 0 to `maxParallelism - 1`. */
export function keyGroupOf(key: Key, maxParallelism: number): number {
  wholeWithin('maxParallelism', maxParallelism, 1, maxParallelismMax)
  return murmurHash(keyHash(key)) % maxParallelism
}

/** Which of `parallelism` instances a key group belongs to. */
export function operatorIndexOf(keyGroup: number, parallelism: number, maxParallelism: number): number {
  checkParallelism(parallelism, maxParallelism)
  wholeWithin('keyGroup', keyGroup, 0, maxParallelism - 1)
  return Math.floor((keyGroup * parallelism) / maxParallelism)
}

/** The key groups of the instance `index` of `parallelism`: exactly those that {@link operatorIndexOf} sends to it. */
export function keyGroupRange(index: number, parallelism: number, maxParallelism: number): KeyGroupRange {
  checkParallelism(parallelism, maxParallelism)
  wholeWithin('index', index, 0, parallelism - 1)
  return {
    first: Math.floor((index * maxParallelism + parallelism - 1) / parallelism),
    last: Math.floor(((index + 1) * maxParallelism - 1) / parallelism),
  }
}

/** How many key groups a job gets that does not say: room to grow by half, in powers of two, from 128 to 32768. */
export function defaultMaxParallelism(parallelism: number): number {
  wholeWithin('parallelism', parallelism, 1, maxParallelismMax)
  const roomy = parallelism + Math.floor(parallelism / 2)
  let power = maxParallelismDefault
  while (power < roomy && power < maxParallelismMax) power *= 2
  return power
}

function checkParallelism(parallelism: number, maxParallelism: number): void {
  wholeWithin('maxParallelism', maxParallelism, 1, maxParallelismMax)
  wholeWithin('parallelism', parallelism, 1, maxParallelism)
}

/** Checks a whole number of an option that has a least and a most. */
export function wholeWithin(option: string, found: number, from: number, to: number): void {
  if (!Number.isInteger(found) || found < from || found > to)
    throw new ConfigurationError('OPTION_INVALID', { option, found, expected: `a whole number from ${from} to ${to}` })
}
