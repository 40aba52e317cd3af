import { IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb'
import { option as O } from 'fp-ts'
import { afterEach, expect, it, vi } from 'vitest'
import { indexeddb } from '../../backends/indexeddb/indexeddb.js'
import { openDatabase } from '../../backends/indexeddb/openDatabase.js'
import { jobName } from '../../lib/identity.js'
import { unwrap } from '../../lib/task.js'
import { published, rowsOf, takenOver } from '../support/checkpoints.js'
import { failureOf } from '../support/ports.js'
import { TabLocks } from '../support/tabLocks.js'

const browser = () => ({ indexedDB: new IDBFactory(), IDBKeyRange, locks: new TabLocks() })
const database = 'rxweir/job'
afterEach(() => vi.restoreAllMocks())

const rawOpen = (indexedDB: IDBFactory, version: number, make: (opened: IDBDatabase) => void): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(database, version)
    request.onupgradeneeded = () => make(request.result)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

it('opening and looking makes no database', async () => {
  const own = browser()
  const session = await unwrap(indexeddb({ browser: own }).open(jobName('job')))
  expect(await unwrap(session.latest())).toEqual(O.none)
  await session.close()()
  expect(await own.indexedDB.databases()).toEqual([])
})

it('a quota that is used up is BACKEND_FULL, the newest checkpoint stays, and the next one is tried again', async () => {
  const own = browser()
  const { session } = await takenOver(indexeddb({ browser: own }))
  await unwrap(published(session, 1, { a: 'one' }))
  const { put } = IDBObjectStore.prototype
  // So a browser says it: what was asked for is aborted, and the transaction knows why.
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(function (this: IDBObjectStore, ...asked) {
    const request = Reflect.apply(put, this, asked)
    Reflect.apply((this.transaction as unknown as { _abort(name: string): void })._abort, this.transaction, ['QuotaExceededError'])
    return request
  })
  const failure = await failureOf(published(session, 2, { a: 'two', b: 'two' }))
  expect(failure).toMatchObject({ code: 'BACKEND_FULL', details: { database, system: 'QuotaExceededError' } })
  expect(failure.message).toContain('Hint: free space')
  await unwrap(published(session, 3, { b: 'three' }))
  await session.close()()
  expect((await takenOver(indexeddb({ browser: own }))).rows).toEqual({ a: 'one', b: 'three' })
})

it('a database that is deleted under a run ends it, and the next one begins anew', async () => {
  const own = browser()
  const { session } = await takenOver(indexeddb({ browser: own }))
  await unwrap(published(session, 1, { a: 'one' }))
  await new Promise((resolve) => {
    own.indexedDB.deleteDatabase(database).onsuccess = resolve
  })
  expect(await failureOf(published(session, 2, { a: 'two' }))).toMatchObject({ code: 'BACKEND_IO', details: { fatal: true } })
  expect(await failureOf(session.latest())).toMatchObject({ code: 'BACKEND_IO' })
  await session.close()()
  expect((await takenOver(indexeddb({ browser: own }))).rows).toBeUndefined()
})

it('what a newer release has made is refused by name', async () => {
  const own = browser()
  ;(await rawOpen(own.indexedDB, 2, () => undefined)).close()
  const session = await unwrap(indexeddb({ browser: own }).open(jobName('job')))
  expect(await failureOf(session.latest())).toMatchObject({ code: 'FORMAT_NEWER', details: { database } })
})

it('a database of somebody else is refused', async () => {
  const own = browser()
  ;(await rawOpen(own.indexedDB, 1, (opened) => void opened.createObjectStore('theirs'))).close()
  const session = await unwrap(indexeddb({ browser: own }).open(jobName('job')))
  expect(await failureOf(session.latest())).toMatchObject({ code: 'BACKEND_NOT_OWNED' })
})

it('a tab that keeps the database of an earlier release open is BACKEND_IN_USE', async () => {
  const own = browser()
  const earlier = await rawOpen(own.indexedDB, 1, (opened) => void opened.createObjectStore('entries'))
  await expect(openDatabase(own, database, { make: true, version: 2 })).rejects.toMatchObject({ code: 'BACKEND_IN_USE' })
  earlier.close()
  // What was opened too late was closed again: nothing is in the way of a third.
  await new Promise((resolve) => {
    own.indexedDB.deleteDatabase(database).onsuccess = resolve
  })
})

it('a tab waits for another one, and is refused where that stays', async () => {
  const own = browser()
  let leave = (): void => undefined
  const other = own.locks.request(
    database,
    {},
    () =>
      new Promise<void>((resolve) => {
        leave = resolve
      }),
  )
  const refused = await failureOf(indexeddb({ browser: own, otherTabMs: 0 }).open(jobName('job')))
  expect(refused).toMatchObject({ code: 'BACKEND_IN_USE', details: { name: database, waitedMs: 0 } })
  const waiting = unwrap(indexeddb({ browser: own, otherTabMs: 60_000 }).open(jobName('job')))
  leave()
  await other
  const session = await waiting
  await session.close()()
  // The lock is free again.
  await own.locks.request(database, { ifAvailable: true }, (lock) => expect(lock).not.toBeNull())
})

it('a row that was damaged, and one that is missing, is SNAPSHOT_CORRUPT', async () => {
  for (const damage of ['put', 'delete'] as const) {
    const own = browser()
    const { session } = await takenOver(indexeddb({ browser: own }))
    await unwrap(published(session, 1, { a: 'one', b: 'one' }))
    await session.close()()
    const raw = await rawOpen(own.indexedDB, 1, () => undefined)
    await new Promise((resolve, reject) => {
      const transaction = raw.transaction('entries', 'readwrite')
      const store = transaction.objectStore('entries')
      transaction.oncomplete = resolve
      transaction.onabort = reject
      const keys = store.getAllKeys(IDBKeyRange.bound(Uint8Array.of(3), Uint8Array.of(4)))
      keys.onsuccess = () => {
        const key = keys.result[0] as IDBValidKey
        if (damage === 'put') store.put(Uint8Array.of(1, 2, 3, 4, 5), key)
        else store.delete(key)
      }
    })
    raw.close()
    const again = await unwrap(indexeddb({ browser: own }).open(jobName('job')))
    const latest = await unwrap(again.latest())
    if (O.isNone(latest)) throw new Error('the checkpoint is not found')
    await expect(rowsOf(latest.value)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  }
})

it('where there is no IndexedDB, and options out of their range, are refused at once', () => {
  expect(() => indexeddb()).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  expect(() => indexeddb({ browser: browser(), retainedCheckpoints: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  expect(() => indexeddb({ browser: browser(), otherTabMs: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
