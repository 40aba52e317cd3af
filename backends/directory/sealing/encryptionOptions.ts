import { createSecretKey, type KeyObject } from 'node:crypto'
import { checkedKeys, type SealingKeys } from '../../../lib/sealing/sealingKeys.js'

/** Keys that seal files, and which of them seals new ones. */
export interface EncryptionOptions extends SealingKeys {
  /**
   * Whether files that are not sealed are read, too: until the next merges have sealed what was written before. Default no, since
   * whoever can write to the directory could otherwise put files of his own there.
   */
  readonly readsPlain?: boolean
}

/** Keys as they are used: no key is ever printed with its object. */
export interface Keys {
  readonly byId: ReadonlyMap<string, KeyObject>
  readonly current: string
  readonly readsPlain: boolean
}

/** @throws ConfigurationError `OPTION_INVALID`, which never tells a key */
export function keysOf(options: EncryptionOptions): Keys {
  const byId = new Map([...checkedKeys(options)].map(([id, key]) => [id, createSecretKey(key)] as const))
  return { byId, current: options.current, readsPlain: options.readsPlain ?? false }
}
