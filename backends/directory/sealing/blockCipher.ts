/**
 * The key of one file, and what it seals: AES-256-GCM, a nonce a position.
 *
 * **Invariants**
 * - Each file has a key of its own, derived by HKDF-SHA-256 from the listed key and 32 random bytes that stand in the file. Within a file the
 *   nonce is the position of the block, and the file is written once, from its beginning to its end. So a nonce is used once under a
 *   key, for as long as two files do not draw the same 256 bits.
 * - What is bound to each block and not stored with it: the job and the name of the file, all that stands before the first block, and the
 *   length of the block as it was. The position is in the nonce. A block opens nowhere else.
 */
import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject } from 'node:crypto'
import { invariant } from '../../../lib/errors.js'

export const saltBytes = 32
export const checkBytes = 16
export const tagBytes = 16
const fileKeyBytes = 32
const algorithm = 'aes-256-gcm'
const gcm = { authTagLength: tagBytes }

/** A key for one file, and bytes that tell whether it is the right one without telling anything about it. */
export interface FileKey {
  readonly key: Buffer
  readonly check: Buffer
}

export function fileKeyOf(listed: KeyObject, salt: Uint8Array): FileKey {
  const bytes = Buffer.from(hkdfSync('sha256', listed, salt, 'rxweir file', fileKeyBytes + checkBytes))
  return { key: bytes.subarray(0, fileKeyBytes), check: bytes.subarray(fileKeyBytes) }
}

function nonceAt(position: number): Buffer {
  invariant(Number.isSafeInteger(position) && position >= 0, 'a block has a position')
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(position), 4)
  return nonce
}

/** The bytes sealed, and their tag behind them. */
export function sealed(key: Buffer, position: number, bound: Uint8Array, bytes: Uint8Array): readonly [Buffer, Buffer] {
  const cipher = createCipheriv(algorithm, key, nonceAt(position), gcm)
  cipher.setAAD(bound)
  const body = cipher.update(bytes)
  cipher.final()
  return [body, cipher.getAuthTag()]
}

/** Throws for anything but what was sealed with this key, at this position, bound to these bytes. */
export function unsealed(key: Buffer, position: number, bound: Uint8Array, bytes: Uint8Array): Buffer {
  const decipher = createDecipheriv(algorithm, key, nonceAt(position), gcm)
  decipher.setAAD(bound)
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
  const body = decipher.update(bytes.subarray(0, bytes.length - tagBytes))
  decipher.final()
  return body
}
