import { BackendError } from '../../lib/errors.js'
import type { BrowserParts } from './browserParts.js'

/** Raised with every change of what is in a database. */
export const format = 1
export const entries = 'entries'

/**
 * Opens a database; undefined where there is none and none is to be made.
 *
 * @throws BackendError `BACKEND_IN_USE` while another tab keeps an earlier release's database open
 */
export function openDatabase(
  { indexedDB }: Pick<BrowserParts, 'indexedDB'>,
  name: string,
  { make, version = format }: { readonly make: boolean; readonly version?: number },
): Promise<IDBDatabase | undefined> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    let absent = false
    let blocked = false
    request.onupgradeneeded = ({ oldVersion }) => {
      absent = oldVersion === 0
      // An upgrade that is given up leaves nothing behind.
      if (absent && !make) request.transaction?.abort()
      else if (absent) request.result.createObjectStore(entries)
    }
    request.onblocked = () => {
      blocked = true
      reject(new BackendError('BACKEND_IN_USE', { database: name, reason: 'another tab keeps the database of an earlier release open' }))
    }
    request.onerror = (event) => {
      event.preventDefault()
      if (absent && !make) resolve(undefined)
      else reject(request.error)
    }
    request.onsuccess = () => {
      const database = request.result
      const ours = database.objectStoreNames.contains(entries)
      if (blocked || !ours) database.close()
      if (ours) resolve(database)
      else reject(new BackendError('BACKEND_NOT_OWNED', { database: name, reason: 'it is not one of ours' }))
    }
  })
}
