import type { EncryptionOptions } from '../../backends/directory/sealing/encryptionOptions.js'

/** Keys for tests, each of its own. Nobody seals anything else with them. */
export const sealingKey = (number: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => (index * 37 + number * 11) & 0xff)

/** Keys `k1`, `k2`, … by their numbers; the last one seals. */
export const encryption = (...numbers: readonly number[]): EncryptionOptions => ({
  keys: Object.fromEntries(numbers.map((number) => [`k${number}`, sealingKey(number)])),
  current: `k${numbers.at(-1)}`,
})
