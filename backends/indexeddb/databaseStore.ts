/**
 * A database of the browser as a store of keys and values: a step is a transaction.
 *
 * **Fault model** A transaction is complete or was aborted, and the browser says which. Somebody may delete the database, or another
 * release change it, while it is open: then this connection is given up, and nothing follows.
 */
import { BackendError, InvariantViolation, invariant } from '../../lib/errors.js'
import type { KeyRange, KeyValue, KeyValueReads, KeyValueStore, KeyValueWrites } from '../../lib/ports/keyValueStore.js'
import type { BrowserParts } from './browserParts.js'
import { databaseFailure } from './failures.js'
import { entries, openDatabase } from './openDatabase.js'

const nothingThere: KeyValueReads = {
  get: async (keys) => keys.map(() => undefined),
  keys: async () => [],
  entries: async () => [],
}

export class DatabaseStore implements KeyValueStore {
  private database: Promise<IDBDatabase | undefined> | undefined
  private lost: BackendError | undefined
  private closed = false

  constructor(
    private readonly browser: BrowserParts,
    private readonly name: string,
  ) {}

  async read<A>(work: (at: KeyValueReads) => Promise<A>): Promise<A> {
    const database = await this.opened(false)
    return database === undefined ? work(nothingThere) : this.step(database, 'readonly', work)
  }

  async write<A>(work: (at: KeyValueWrites) => Promise<A>): Promise<A> {
    const database = await this.opened(true)
    invariant(database !== undefined, 'a database that is to be made is there')
    return this.step(database, 'readwrite', work)
  }

  async close(): Promise<void> {
    this.closed = true
    const database = await this.database?.catch(() => undefined)
    // Transactions under way are waited for by the browser.
    database?.close()
  }

  private async opened(make: boolean): Promise<IDBDatabase | undefined> {
    try {
      this.database ??= this.connect(make)
      const own = this.database
      const database = await own
      if (database !== undefined) return database
      if (this.database === own) this.database = undefined
      return make ? this.opened(make) : undefined
    } catch (error) {
      this.database = undefined
      throw databaseFailure(error, { database: this.name })
    }
  }

  private async connect(make: boolean): Promise<IDBDatabase | undefined> {
    if (this.closed) throw new BackendError('BACKEND_NOT_OPEN', { database: this.name })
    const database = await openDatabase(this.browser, this.name, { make })
    if (database === undefined) return undefined
    const lose = (reason: string) => () => {
      database.close()
      this.lost ??= new BackendError('BACKEND_IO', { database: this.name, reason, fatal: true })
    }
    database.onversionchange = lose('somebody deletes the database, or another release changes it')
    database.onclose = lose('the browser took the database away')
    return database
  }

  private step<A>(database: IDBDatabase, mode: 'readonly' | 'readwrite', work: (at: KeyValueWrites) => Promise<A>): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      if (this.lost !== undefined) throw this.lost
      const transaction = database.transaction(entries, mode, { durability: 'strict' })
      const store = transaction.objectStore(entries)
      let done: { readonly answer: A } | undefined
      let failure: unknown
      transaction.oncomplete = () => {
        if (done === undefined) reject(new InvariantViolation('a step waits for nothing but its store'))
        else resolve(done.answer)
      }
      // The browser's own reason comes first: what is asked for in a transaction that it ends fails for no other.
      transaction.onabort = () => reject(transaction.error ?? failure ?? this.lost ?? new BackendError('BACKEND_IO', { database: this.name }))
      work(this.at(store)).then(
        (answer) => {
          done = { answer }
        },
        (error: unknown) => {
          failure = error
          try {
            transaction.abort()
          } catch {
            // It has ended by itself, and says so.
          }
        },
      )
    }).catch((error: unknown) => {
      throw databaseFailure(error, { database: this.name })
    })
  }

  private at(store: IDBObjectStore): KeyValueWrites {
    const within = ({ from, to }: KeyRange): IDBKeyRange => this.browser.IDBKeyRange.bound(from, to, false, true)
    return {
      get: (keys) => answered(keys.map((key) => store.get(key as BufferSource))) as Promise<(Uint8Array | undefined)[]>,
      keys: async (range, limit) => {
        const [keys] = (await answered([store.getAllKeys(within(range), limit)])) as [readonly ArrayBuffer[]]
        return keys.map((key) => new Uint8Array(key))
      },
      entries: async (range, limit) => {
        const asked = [store.getAllKeys(within(range), limit), store.getAll(within(range), limit)]
        const [keys, values] = (await answered(asked)) as [readonly ArrayBuffer[], readonly Uint8Array[]]
        return keys.map((key, index): KeyValue => [new Uint8Array(key), values[index] as Uint8Array])
      },
      put: (key, value) => void store.put(value, key as BufferSource),
      remove: (key) => void store.delete(key as BufferSource),
    }
  }
}

/** The results of requests of one transaction, when the last of them is there. */
function answered(requests: readonly IDBRequest[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const last = requests.at(-1)
    if (last === undefined) return resolve([])
    for (const request of requests) request.onerror = () => reject(request.error)
    // Requests of a transaction are answered in their order.
    last.onsuccess = () => resolve(requests.map(({ result }) => result))
  })
}
