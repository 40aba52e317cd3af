import { zipf } from './zipf.js'

export type Access = 'uniform' | 'skewed'

/** The keys of the records: first each in turn, then at random. */
export function accesses(keys: number, again: number, access: Access): Uint32Array {
  let seed = 20_260_101
  const chance = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  const rank = access === 'skewed' ? zipf(keys, chance) : () => Math.floor(chance() * keys)
  const stride = strideThrough(keys)
  const all = new Uint32Array(keys + again)
  // Keys that come often are not neighbours.
  for (let index = 0; index < all.length; index += 1) all[index] = ((index < keys ? index : rank()) * stride) % keys
  return all
}

/** A step that comes by each of so many places: it has no divisor with them. */
function strideThrough(places: number): number {
  const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other))
  for (let stride = Math.floor(places * 0.618) + 1; ; stride += 1) if (divisor(stride, places) === 1) return stride
}
