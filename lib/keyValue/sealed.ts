import { crc32 } from '../crc32.js'
import { BackendError } from '../errors.js'
import type { Json } from '../json.js'

const checksumBytes = 4
const utf8 = new TextEncoder()

/** Every value in a store of keys and values has a checksum in front. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const value = new Uint8Array(checksumBytes + bytes.length)
  value.set(bytes, checksumBytes)
  new DataView(value.buffer).setUint32(0, crc32(bytes))
  return value
}

/** What was sealed, verified. A view into `value`. */
export function unsealed(value: Uint8Array, what: string): Uint8Array {
  const bytes = value.subarray(checksumBytes)
  if (value.length < checksumBytes || new DataView(value.buffer, value.byteOffset).getUint32(0) !== crc32(bytes))
    throw new BackendError('SNAPSHOT_CORRUPT', { what, reason: 'its checksum is another' })
  return bytes
}

export const sealedText = (text: string): Uint8Array => sealed(utf8.encode(text))

/** What was sealed as the text of JSON. */
export function unsealedJson(value: Uint8Array, what: string): Json {
  const text = new TextDecoder().decode(unsealed(value, what))
  try {
    return JSON.parse(text) as Json
  } catch {
    // The checksum fits: it stands where something else should.
    throw new BackendError('SNAPSHOT_CORRUPT', { what, reason: 'it is something else' })
  }
}
