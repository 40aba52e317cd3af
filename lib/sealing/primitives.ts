import { ConfigurationError } from '../errors.js'
import { checkBytes, tagBytes } from './envelope.js'

type Bytes = Uint8Array<ArrayBuffer>

/** A key for the values that have one salt, and bytes that tell whether it is the right one without telling anything about it. */
export interface Subkey {
  readonly check: Bytes
  seal(number: number, bound: Bytes, bytes: Bytes): Promise<Bytes>
  /** Rejects for anything but what was sealed with this key, under this number, bound to these bytes. */
  open(number: number, bound: Bytes, bytes: Bytes): Promise<Bytes>
}

/** What sealing asks of its platform. */
export interface Primitives {
  /** Bytes that nobody can foretell. */
  random(length: number): Bytes
  /** HKDF-SHA-256 of a listed key with a salt, for AES-256-GCM. */
  subkey(listed: Bytes, salt: Bytes): Promise<Subkey>
  /** HMAC-SHA-256. */
  keyedDigest(secret: Bytes): Promise<(bytes: Bytes) => Promise<Bytes>>
}

const algorithm = 'AES-GCM'
export const keyBytes = 32
export const valueInfo = new TextEncoder().encode('rxweir value')

/** A number is used once under a key: it is the nonce. */
export function nonceOf(number: number): Bytes {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(8, number)
  return nonce
}

const parameters = (number: number, additionalData: Bytes): AesGcmParams => ({
  name: algorithm,
  iv: nonceOf(number),
  additionalData,
  tagLength: tagBytes * 8,
})

/** Those of browsers and of Node alike. Keys cannot be taken out again, nor printed. */
export function webPrimitives(): Primitives {
  const { crypto } = globalThis as Partial<typeof globalThis>
  const subtle = crypto?.subtle as SubtleCrypto | undefined
  if (crypto === undefined || subtle === undefined)
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'encryption',
      reason: 'there is no crypto.subtle here: a page has to be loaded over https',
    })
  return {
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    subkey: async (listed, salt) => {
      const material = await subtle.importKey('raw', listed, 'HKDF', false, ['deriveBits'])
      const bits = new Uint8Array(
        await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: valueInfo }, material, (keyBytes + checkBytes) * 8),
      )
      const key = await subtle.importKey('raw', bits.subarray(0, keyBytes), algorithm, false, ['encrypt', 'decrypt'])
      return {
        check: bits.slice(keyBytes),
        seal: async (number, bound, bytes) => new Uint8Array(await subtle.encrypt(parameters(number, bound), key, bytes)),
        open: async (number, bound, bytes) => new Uint8Array(await subtle.decrypt(parameters(number, bound), key, bytes)),
      }
    },
    keyedDigest: async (secret) => {
      const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      return async (bytes) => new Uint8Array(await subtle.sign('HMAC', key, bytes))
    },
  }
}
