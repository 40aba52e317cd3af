/**
 * How a value stands in a storage of rows when it was compressed or sealed: compressed first, then sealed.
 *
 *     80 00 · format (u8) · how (u8: compression, and 16 where it is sealed) · length as it was (u32)
 *     sealed: length of the key's id (u8) · id · salt (16) · check of the key (4) · number (u32)
 *     the bytes, compressed where that made them shorter; sealed, with their tag (16) behind
 *
 * No value that the core writes begins with 80 00: a number is never written so.
 */
import { BackendError } from '../errors.js'
import { keyIdMax } from './sealingKeys.js'

const format = 1
const sealedFlag = 16
const plainHeadBytes = 8
export const saltBytes = 16
export const checkBytes = 4
export const tagBytes = 16

/** Which key sealed a value, and which of its values it is. */
export interface SealHead {
  readonly keyId: string
  readonly salt: Uint8Array<ArrayBuffer>
  readonly check: Uint8Array
  readonly number: number
}

export interface EnvelopeHead {
  readonly compression: number
  readonly length: number
  readonly seal: SealHead | undefined
}

/** Nothing of the core begins like that. */
export const isEnvelope = (value: Uint8Array): boolean => value[0] === 0x80 && value[1] === 0

export function encodeHead({ compression, length, seal }: EnvelopeHead): Uint8Array<ArrayBuffer> {
  const id = seal?.keyId ?? ''
  const head = new Uint8Array(plainHeadBytes + (seal === undefined ? 0 : 1 + id.length + saltBytes + checkBytes + 4))
  const view = new DataView(head.buffer)
  head.set([0x80, 0, format, compression | (seal === undefined ? 0 : sealedFlag)])
  view.setUint32(4, length)
  if (seal === undefined) return head
  head[plainHeadBytes] = id.length
  for (let index = 0; index < id.length; index += 1) head[plainHeadBytes + 1 + index] = id.charCodeAt(index)
  head.set(seal.salt, plainHeadBytes + 1 + id.length)
  head.set(seal.check, plainHeadBytes + 1 + id.length + saltBytes)
  view.setUint32(head.length - 4, seal.number)
  return head
}

/** The head of an envelope, its bytes, and the rest. Views into `value`. */
export function decodeHead(
  value: Uint8Array,
  what: string,
): { readonly head: EnvelopeHead; readonly headBytes: Uint8Array; readonly rest: Uint8Array<ArrayBuffer> } {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what, reason })
  if (!isEnvelope(value) || value.length < plainHeadBytes) throw damaged('it is not what was sealed or compressed')
  const [, , found = 0, how = 0] = value
  if (found > format) throw new BackendError('FORMAT_NEWER', { what, found, supported: format })
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const bare = { compression: how & ~sealedFlag, length: view.getUint32(4) }
  const split = (at: number, head: EnvelopeHead) => ({ head, headBytes: value.subarray(0, at), rest: value.slice(at) })
  if ((how & sealedFlag) === 0) return split(plainHeadBytes, { ...bare, seal: undefined })
  const idLength = value[plainHeadBytes] ?? 0
  const saltAt = plainHeadBytes + 1 + idLength
  const end = saltAt + saltBytes + checkBytes + 4
  if (idLength === 0 || idLength > keyIdMax || value.length < end + tagBytes) throw damaged('it is cut short')
  const seal: SealHead = {
    keyId: String.fromCharCode(...value.subarray(plainHeadBytes + 1, saltAt)),
    salt: value.slice(saltAt, saltAt + saltBytes),
    check: value.subarray(saltAt + saltBytes, end - 4),
    number: view.getUint32(end - 4),
  }
  return split(end, { ...bare, seal })
}
