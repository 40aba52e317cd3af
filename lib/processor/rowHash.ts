/** Two independent 32-bit hashes of the bytes of a row's key, of which a filter and a share of all keys are made. */
export interface RowHash {
  first: number
  second: number
}

/** Hashes into an object that is used again: there is one for each row of a checkpoint. FNV-1a, mixed twice. */
export function rowHash(table: number, key: Uint8Array, into: RowHash): void {
  let hash = 0x811c9dc5 ^ Math.imul(table + 1, 0x9e3779b1)
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ (key[index] as number), 0x01000193)
  into.first = mixed(hash, 0x85ebca6b, 0xc2b2ae35)
  into.second = mixed(hash ^ 0x5bd1e995, 0x2c1b3c6d, 0x297a2d39)
}

function mixed(hash: number, by: number, and: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), by)
  hash = Math.imul(hash ^ (hash >>> 13), and)
  return (hash ^ (hash >>> 16)) >>> 0
}
