/**
 * Compresses and seals single values, for storages that keep rows.
 *
 * **Invariants**
 * - Each sealer has a key of its own, derived from the listed one with 128 random bits, and numbers its values: the number is the nonce. So a
 *   nonce is used once under a key, for as long as two sealers do not draw the same bits.
 * - Bound to each value, and not stored with it: its head, and what the caller says about where it stands. It opens nowhere else.
 */
import { BackendError, ConfigurationError } from '../errors.js'
import { type Bound, boundBytes } from './boundBytes.js'
import { checkBytes, decodeHead, encodeHead, isEnvelope, type SealHead, saltBytes } from './envelope.js'
import { type Packing, packedBytesLeast } from './packing.js'
import type { Primitives, Subkey } from './primitives.js'
import { checkedKeys, refuseReadsPlain, type SealingKeys } from './sealingKeys.js'

/** The words for how values are made shorter; `zstd` is there where Node has it, which is from 22.15 on. */
export type ValueCompression = 'none' | 'zlib' | 'zstd'

export interface ValueProtection {
  readonly encryption?: SealingKeys | undefined
  readonly compression?: ValueCompression | undefined
}

/** Seals values under one key. */
export interface ValueSealer {
  seal(bytes: Uint8Array<ArrayBuffer>, bound: Bound): Promise<Uint8Array<ArrayBuffer>>
}

/** So many values have one key: as many as there are numbers. */
const numbersMax = 2 ** 32
/** Of so many keys that are derived each is kept for the next value. */
const subkeysMax = 256

export class ValueCipher {
  private readonly keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined
  private readonly current: string | undefined
  private readonly packing: Packing | undefined
  private readonly subkeys = new Map<string, Promise<Subkey>>()
  readonly primitives: Primitives | undefined

  /**
   * @param packings - what can be read; what is written is one of them
   * @param primitives - asked for where there are keys
   * @throws ConfigurationError `OPTION_INVALID`
   */
  constructor(
    { encryption, compression = 'none' }: ValueProtection,
    private readonly packings: readonly (Packing | undefined)[],
    primitives: () => Primitives,
  ) {
    if (encryption !== undefined) {
      refuseReadsPlain(encryption)
      this.keys = checkedKeys(encryption)
      this.current = encryption.current
      this.primitives = primitives()
    }
    this.packing = this.packings.find((packing) => packing?.name === compression)
    if (compression !== 'none' && this.packing === undefined)
      throw new ConfigurationError('OPTION_INVALID', { option: 'compression', found: String(compression), reason: 'it is not to be had here' })
  }

  get seals(): boolean {
    return this.keys !== undefined
  }

  get packs(): boolean {
    return this.packing !== undefined
  }

  /** For the values of one checkpoint, or of one journal. */
  sealer(): ValueSealer {
    let subkey: Promise<Subkey> | undefined
    let salt: Uint8Array<ArrayBuffer> | undefined
    let number = 0
    return {
      seal: async (bytes, bound) => {
        const { keys, current, primitives } = this
        const key = keys?.get(current ?? '')
        if (key === undefined || current === undefined || primitives === undefined) return this.enveloped(bytes, bound)
        if (salt === undefined || subkey === undefined || number === numbersMax) {
          salt = primitives.random(saltBytes)
          subkey = primitives.subkey(key, salt)
          number = 0
        }
        // Taken at once: nobody else may have it while this one waits.
        const own = { keyId: current, salt, subkey, number }
        number += 1
        return this.enveloped(bytes, bound, own)
      },
    }
  }

  /**
   * What was sealed or compressed, as it was.
   *
   * @param what - names the value in errors
   */
  async open(value: Uint8Array, bound: Bound, what: string): Promise<Uint8Array<ArrayBuffer>> {
    if (!isEnvelope(value) && this.seals) throw new BackendError('FILE_NOT_SEALED', { what })
    const { head, headBytes, rest } = decodeHead(value, what)
    if (head.seal === undefined && this.seals) throw new BackendError('FILE_NOT_SEALED', { what })
    const damaged = (reason: string, cause?: unknown): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what, reason }, { cause })
    let body = rest
    if (head.seal !== undefined) {
      const subkey = await this.subkeyOf(head.seal, what)
      try {
        body = await subkey.open(head.seal.number, boundBytes(headBytes, bound), rest)
      } catch (cause) {
        throw damaged('it is not what was sealed here', cause)
      }
    }
    if (body.length === head.length) return body
    if (head.compression === 0 || body.length > head.length) throw damaged('it has another length')
    const packing = this.packings.find((each) => each?.number === head.compression)
    if (packing === undefined) throw new BackendError('FORMAT_NEWER', { what, found: `compression ${head.compression}` })
    try {
      return await packing.unpack(body, head.length)
    } catch (cause) {
      throw damaged('it does not decompress', cause)
    }
  }

  private async enveloped(
    bytes: Uint8Array<ArrayBuffer>,
    bound: Bound,
    own?: { readonly keyId: string; readonly salt: Uint8Array<ArrayBuffer>; readonly subkey: Promise<Subkey>; readonly number: number },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const tried = this.packing !== undefined && bytes.length >= packedBytesLeast ? await this.packing.pack(bytes) : bytes
    const shorter = tried.length < bytes.length
    const body = shorter ? tried : bytes
    const compression = shorter ? (this.packing?.number ?? 0) : 0
    if (own === undefined) return joined(encodeHead({ compression, length: bytes.length, seal: undefined }), body)
    const { keyId, salt, number } = own
    const subkey = await own.subkey
    const head = encodeHead({ compression, length: bytes.length, seal: { keyId, salt, check: subkey.check, number } })
    return joined(head, await subkey.seal(number, boundBytes(head, bound), body))
  }

  private async subkeyOf({ keyId, salt, check }: SealHead, what: string): Promise<Subkey> {
    const listed = this.keys?.get(keyId)
    if (listed === undefined || this.primitives === undefined) throw new BackendError('KEY_MISSING', { what, key: keyId })
    const name = `${keyId} ${salt.join()}`
    let subkey = this.subkeys.get(name)
    if (subkey === undefined) {
      subkey = this.primitives.subkey(listed, salt)
      const [oldest] = this.subkeys.keys()
      if (oldest !== undefined && this.subkeys.size >= subkeysMax) this.subkeys.delete(oldest)
      this.subkeys.set(name, subkey)
    }
    const found = await subkey
    for (let index = 0; index < checkBytes; index += 1)
      if (found.check[index] !== check[index]) throw new BackendError('KEY_WRONG', { what, key: keyId })
    return found
  }
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(head.length + body.length)
  value.set(head)
  value.set(body, head.length)
  return value
}
