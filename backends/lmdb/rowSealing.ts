/**
 * Compresses and seals the values of one store, synchronously: rows are read while a record waits for them.
 *
 * **Invariants** Values stand in the envelopes of `lib/sealing/envelope.ts`. Each storage has a key of its own, derived from the listed one with 128
 * random bits, and numbers what it seals: the number is the nonce. A row is bound to its job, to the life of the store, to its
 * table and to its key. Keys stay as they are: tables read the entries of a key by how their addresses begin.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { BackendError } from '../../lib/errors.js'
import { type Bound, boundBytes } from '../../lib/sealing/boundBytes.js'
import { checkBytes, decodeHead, encodeHead, isEnvelope, type SealHead, saltBytes, tagBytes } from '../../lib/sealing/envelope.js'
import { packedBytesLeast } from '../../lib/sealing/packing.js'
import { checkedKeys, refuseReadsPlain, type SealingKeys } from '../../lib/sealing/sealingKeys.js'
import type { ValueCompression } from '../../lib/sealing/valueCipher.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { type Packing, packingOf, packings } from './packings.js'

export interface RowSealingOptions {
  readonly encryption?: SealingKeys | undefined
  readonly compression?: ValueCompression | undefined
}

interface Subkey {
  readonly key: Buffer
  readonly check: Buffer
}

const algorithm = 'aes-256-gcm'
const gcm = { authTagLength: tagBytes }
const keyBytes = 32
const numbersMax = 2 ** 32
/** Derived keys that are kept: about one for each run that wrote a row which is read. */
const subkeysMax = 1_024

export class RowSealing {
  readonly #keys: ReadonlyMap<string, KeyObject> | undefined
  readonly #current: string
  readonly #packing: Packing | undefined
  readonly #subkeys = new LRUCache<string, Subkey>({ max: subkeysMax })
  #own: { readonly salt: Uint8Array<ArrayBuffer>; readonly subkey: Subkey } | undefined
  #number = 0

  /** @throws ConfigurationError `OPTION_INVALID` */
  constructor({ encryption, compression = 'none' }: RowSealingOptions = {}) {
    refuseReadsPlain(encryption)
    this.#keys = encryption && new Map([...checkedKeys(encryption)].map(([id, key]) => [id, createSecretKey(key)]))
    this.#current = encryption?.current ?? ''
    this.#packing = packingOf(compression)
  }

  get seals(): boolean {
    return this.#keys !== undefined
  }

  /** A name for the life of a store, where it is sealed: what was stored in an earlier one does not open. */
  newLife(): string | undefined {
    return this.seals ? randomBytes(16).toString('hex') : undefined
  }

  /** The rows of a chunk with their values as they are stored. */
  storedRows(frames: Uint8Array, boundOf: (key: Uint8Array) => Bound): Uint8Array {
    if (!this.seals && this.#packing === undefined) return frames
    const stored = new RowFrames(2 * frames.length)
    readRows(frames, (key, value) => stored.add(key, value === undefined ? undefined : this.stored(value, () => boundOf(key))))
    return stored.take()
  }

  /** The value as it is stored. */
  stored(value: Uint8Array, bound: () => Bound): Uint8Array {
    const packed = value.length >= packedBytesLeast ? this.#packing?.pack(value) : undefined
    const isShorter = packed !== undefined && packed.length < value.length
    if (!this.seals && !isShorter) return value
    const bare = { compression: isShorter ? (this.#packing?.number ?? 0) : 0, length: value.length }
    const body = isShorter ? packed : value
    const seal = this.#nextSeal()
    if (seal === undefined) return Buffer.concat([encodeHead({ ...bare, seal }), body])
    const head = encodeHead({ ...bare, seal: { ...seal, check: seal.subkey.check } })
    const cipher = createCipheriv(algorithm, seal.subkey.key, nonceOf(seal.number), gcm)
    cipher.setAAD(boundBytes(head, bound()))
    return Buffer.concat([head, cipher.update(body), cipher.final(), cipher.getAuthTag()])
  }

  /**
   * A stored value as it was; a view into it, where it is stored so.
   *
   * @param what - names the value in errors
   */
  opened(value: Uint8Array, bound: () => Bound, what: string): Uint8Array {
    if (!isEnvelope(value)) {
      if (this.seals) throw new BackendError('FILE_NOT_SEALED', { what })
      return value
    }
    const { head, headBytes, rest } = decodeHead(value, what)
    if (head.seal === undefined && this.seals) throw new BackendError('FILE_NOT_SEALED', { what })
    const damaged = (reason: string, cause?: unknown): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what, reason }, { cause })
    let body: Uint8Array = rest
    if (head.seal !== undefined) {
      const { key } = this.#subkeyOf(head.seal, what)
      try {
        const decipher = createDecipheriv(algorithm, key, nonceOf(head.seal.number), gcm)
        decipher.setAAD(boundBytes(headBytes, bound()))
        decipher.setAuthTag(rest.subarray(rest.length - tagBytes))
        body = decipher.update(rest.subarray(0, rest.length - tagBytes))
        decipher.final()
      } catch (cause) {
        throw damaged('it is not what was sealed here', cause)
      }
    }
    if (body.length === head.length) return body
    if (head.compression === 0 || body.length > head.length) throw damaged('it has another length')
    const packing = packings.find(({ number }) => number === head.compression)
    if (packing === undefined) throw new BackendError('FORMAT_NEWER', { what, found: `compression ${head.compression}` })
    let unpacked: Uint8Array
    try {
      unpacked = packing.unpack(body, head.length)
    } catch (cause) {
      throw damaged('it does not decompress', cause)
    }
    if (unpacked.length !== head.length) throw damaged('it has another length')
    return unpacked
  }

  #nextSeal(): { readonly keyId: string; readonly salt: Uint8Array<ArrayBuffer>; readonly subkey: Subkey; readonly number: number } | undefined {
    const listed = this.#keys?.get(this.#current)
    if (listed === undefined) return undefined
    if (this.#own === undefined || this.#number === numbersMax) {
      const salt = Uint8Array.from(randomBytes(saltBytes))
      this.#own = { salt, subkey: derived(listed, salt) }
      this.#number = 0
    }
    const number = this.#number
    this.#number += 1
    return { keyId: this.#current, ...this.#own, number }
  }

  #subkeyOf({ keyId, salt, check }: SealHead, what: string): Subkey {
    const listed = this.#keys?.get(keyId)
    if (listed === undefined) throw new BackendError('KEY_MISSING', { what, key: keyId })
    const name = keyId + Buffer.from(salt).toString('latin1')
    let subkey = this.#subkeys.get(name)
    if (subkey === undefined) {
      subkey = derived(listed, salt)
      this.#subkeys.set(name, subkey)
    }
    if (!subkey.check.equals(check)) throw new BackendError('KEY_WRONG', { what, key: keyId })
    return subkey
  }
}

function derived(listed: KeyObject, salt: Uint8Array): Subkey {
  const bytes = Buffer.from(hkdfSync('sha256', listed, salt, 'rxweir value', keyBytes + checkBytes))
  return { key: bytes.subarray(0, keyBytes), check: bytes.subarray(keyBytes) }
}

function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 8)
  return nonce
}
