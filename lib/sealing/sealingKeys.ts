import { ConfigurationError } from '../errors.js'

/** Keys that seal what is stored, and which of them seals what is new. */
export interface SealingKeys {
  /**
   * Secrets of 32 bytes, drawn at random, by their ids. An id has 1 to 64 characters of `A-Z a-z 0-9 . _ -`, and stands in the clear in
   * all that its key seals; it names that key for ever.
   */
  readonly keys: { readonly [id: string]: Uint8Array }
  /** The id of the key that seals what is new. The others open what they once sealed. */
  readonly current: string
}

const keyId = /^[A-Za-z0-9._-]+$/
export const keyIdMax = 64
const keyBytes = 32

/**
 * Copies of the keys by their ids.
 *
 * @throws ConfigurationError `OPTION_INVALID`, which never tells a key
 */
export function checkedKeys({ keys, current }: SealingKeys): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const invalid = (reason: string, option = 'encryption.keys'): ConfigurationError => new ConfigurationError('OPTION_INVALID', { option, reason })
  const byId = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const [id, key] of Object.entries(keys)) {
    if (!keyId.test(id) || id.length > keyIdMax) throw invalid(`an id has 1 to ${keyIdMax} characters of A-Z a-z 0-9 . _ -`)
    if (!(key instanceof Uint8Array) || key.length !== keyBytes) throw invalid(`the key ${id} is not ${keyBytes} bytes long`)
    if (key.every((byte) => byte === key[0])) throw invalid(`the key ${id} is not random`)
    byId.set(id, Uint8Array.from(key))
  }
  if (!byId.has(current)) throw invalid('it is the id of none of the keys', 'encryption.current')
  return byId
}

/**
 * An option that directories have, and whoever moves from one may still pass: a storage of rows cannot tell what was stored plain before
 * from what somebody has put there.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 */
export function refuseReadsPlain(encryption: SealingKeys | undefined): void {
  if ((encryption as { readonly readsPlain?: unknown } | undefined)?.readsPlain === true)
    throw new ConfigurationError('OPTION_INVALID', { option: 'encryption.readsPlain', reason: 'where rows are stored, all are sealed or none' })
}
