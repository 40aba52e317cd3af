import { createSecretKey, type KeyObject } from 'node:crypto'
import { ConfigurationError } from '../../../lib/errors.js'

/** Keys that seal files, and which of them seals new ones. */
export interface EncryptionOptions {
  /**
   * Secrets of 32 bytes, drawn at random, by their ids. An id has 1 to 64 characters of `A-Z a-z 0-9 . _ -`, and stands in the clear in
   * every file that its key seals; it names that key for ever.
   */
  readonly keys: { readonly [id: string]: Uint8Array }
  /** The id of the key that seals new files. The others open what they once sealed. */
  readonly current: string
  /**
   * Whether files that are not sealed are read, too: until the next merges have sealed what was written before. Default no, since
   * whoever can write to the directory could otherwise put files of his own there.
   */
  readonly readsPlain?: boolean
}

const keyId = /^[A-Za-z0-9._-]+$/
export const keyIdMax = 64
const keyBytes = 32

/** Keys as they are used: no key is ever printed with its object. */
export interface Keys {
  readonly byId: ReadonlyMap<string, KeyObject>
  readonly current: string
  readonly readsPlain: boolean
}

/** @throws ConfigurationError `OPTION_INVALID`, which never tells a key */
export function keysOf({ keys, current, readsPlain = false }: EncryptionOptions): Keys {
  const invalid = (reason: string, option = 'encryption.keys'): ConfigurationError => new ConfigurationError('OPTION_INVALID', { option, reason })
  const byId = new Map<string, KeyObject>()
  for (const [id, key] of Object.entries(keys)) {
    if (!keyId.test(id) || id.length > keyIdMax) throw invalid(`an id has 1 to ${keyIdMax} characters of A-Z a-z 0-9 . _ -`)
    if (!(key instanceof Uint8Array) || key.length !== keyBytes) throw invalid(`the key ${id} is not ${keyBytes} bytes long`)
    if (key.every((byte) => byte === key[0])) throw invalid(`the key ${id} is not random`)
    byId.set(id, createSecretKey(key))
  }
  if (!byId.has(current)) throw invalid('it is the id of none of the keys', 'encryption.current')
  return { byId, current, readsPlain }
}
