import { createHash } from 'node:crypto'
import { crc32 } from '../../lib/crc32.js'

/** An index entry has room for some 2,700 bytes; longer keys are known by their digest. */
const plainBytesMax = 200

/** What the database knows a row by, and its key where that does not say it. */
export interface RowId {
  readonly id: Buffer
  readonly key: Buffer | null
}

export function rowId(key: Uint8Array): RowId {
  if (key.length <= plainBytesMax) return { id: Buffer.concat([Buffer.of(0), key]), key: null }
  const whole = Buffer.from(key)
  return { id: Buffer.concat([Buffer.of(1), createHash('sha256').update(whole).digest()]), key: whole }
}

/** Finds accidents: a row whose key or value is not what was written. */
export const checksumOf = (id: Uint8Array, value: Uint8Array | undefined): number => (crc32(id) ^ (value === undefined ? 0 : crc32(value))) | 0

export const keyOf = ({ id, key }: RowId): Uint8Array => key ?? id.subarray(1)
