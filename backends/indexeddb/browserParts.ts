import { ConfigurationError } from '../../lib/errors.js'

/** What a browser has, in a page as in a worker. */
export interface BrowserParts {
  readonly indexedDB: IDBFactory
  readonly IDBKeyRange: typeof IDBKeyRange
  /** Where there are none, as in a page that was not loaded over https, the epoch alone tells tabs apart. */
  readonly locks?: Pick<LockManager, 'request'>
}

/** What is handed in, or else what the program runs in has. */
export function browserParts(given: BrowserParts | undefined): BrowserParts {
  if (given !== undefined) return given
  const { indexedDB, IDBKeyRange, navigator } = globalThis as Partial<typeof globalThis>
  if (indexedDB === undefined || IDBKeyRange === undefined)
    throw new ConfigurationError('OPTION_INVALID', { option: 'browser', reason: 'there is no IndexedDB here, and none was handed in' })
  const locks = (navigator as { readonly locks?: LockManager } | undefined)?.locks
  return { indexedDB, IDBKeyRange, ...(locks === undefined ? {} : { locks }) }
}
