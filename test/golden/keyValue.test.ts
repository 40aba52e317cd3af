import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import { indexeddbIn } from '../../backends/indexeddb/indexeddb.js'
import { levelIn } from '../../backends/level/level.js'
import { sealedText, unsealedJson } from '../../lib/keyValue/sealed.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { liveStorage } from '../support/pagedPlaces.js'
import { TabLocks } from '../support/tabLocks.js'
import { livesContent, readLives, writeLives } from './lives.js'
import { recorded } from './recorded.js'
import { compressible, opensWithItsKeyOnly, sealing } from './sealed.js'

/** A store as a record has it: names of what is around the entries, and each key and value in hex. */
interface Dump {
  readonly version?: number
  readonly entries: { readonly [key: string]: string }
}

/** A kind of store that `lib/keyValue` keeps checkpoints in, as tests look into it past everything that is under test. */
interface Kind {
  readonly name: string
  readonly storage: CheckpointStorage
  dump(): Promise<Dump>
  fill(dump: Dump): Promise<void>
  /** The key of the record that says who writes. */
  readonly headKey: string
}

interface SealingOptions {
  readonly encryption?: SealingKeys
  readonly compression?: 'zlib'
}

const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(bytes as Uint8Array).toString('hex')
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'))

function level(database = new MemoryLevel<string, string>(), options: SealingOptions = {}): Kind {
  return inLevel(database, levelIn(new WeakMap(), database, options))
}

function inLevel(database: MemoryLevel<string, string>, storage: CheckpointStorage): Kind {
  const raw = { keyEncoding: 'hex', valueEncoding: 'hex' } as const
  return {
    name: 'level',
    storage,
    dump: async () => ({ entries: Object.fromEntries(await database.iterator(raw).all()) }),
    fill: async ({ entries }) => {
      for (const [key, value] of Object.entries(entries)) await database.put(key, value, raw)
    },
    headKey: Buffer.from('!rxweir!!orders!\x01').toString('hex'),
  }
}

/** With an index of every table, as where live rows are read. */
function levelLive(): Kind {
  const database = new MemoryLevel<string, string>()
  return { ...inLevel(database, liveStorage(new WeakMap(), database, ['rxweir'])), name: 'levelLive' }
}

function indexeddb(indexedDB = new IDBFactory(), options: SealingOptions = {}): Kind {
  const name = 'rxweir/orders'
  const answered = <A>(request: IDBRequest<A>): Promise<A> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  return {
    name: 'indexeddb',
    storage: indexeddbIn(new WeakMap(), { ...options, browser: { indexedDB, IDBKeyRange, locks: new TabLocks() } }),
    async dump() {
      const database = await answered(indexedDB.open(name))
      const store = database.transaction('entries').objectStore('entries')
      const [keys, values] = [await answered(store.getAllKeys()), await answered(store.getAll())]
      database.close()
      return { version: database.version, entries: Object.fromEntries(keys.map((key, index) => [hex(key as ArrayBuffer), hex(values[index])])) }
    },
    async fill({ version, entries }) {
      const opening = indexedDB.open(name, version)
      opening.onupgradeneeded = () => void opening.result.createObjectStore('entries')
      const database = await answered(opening)
      const store = database.transaction('entries', 'readwrite').objectStore('entries')
      for (const [key, value] of Object.entries(entries)) await answered(store.put(bytes(value), bytes(key)))
      database.close()
    },
    headKey: '01',
  }
}

for (const make of [() => level(), levelLive, () => indexeddb()]) {
  const { name } = make()
  const written = async (): Promise<Dump> => {
    const kind = make()
    await writeLives(kind.storage)
    return kind.dump()
  }

  describe(name, () => {
    it('that an earlier release wrote is read', async () => {
      const kind = make()
      await kind.fill(await recorded(name, written))
      expect(await readLives(kind.storage)).toEqual(livesContent({ journals: true }))
    })

    it('is written as ever where no option says otherwise, byte for byte', async () => {
      expect(await written()).toEqual(await recorded(name, written))
    })

    it('that a newer release wrote is refused by name, and stays as it is', async () => {
      const kind = make()
      const { entries, ...around } = await recorded(name, written)
      const head = unsealedJson(bytes(entries[kind.headKey] as string), 'the head') as { readonly format: number }
      const newer = { ...around, entries: { ...entries, [kind.headKey]: hex(sealedText(JSON.stringify({ ...head, format: head.format + 1 }))) } }
      await kind.fill(newer)
      await expect(readLives(kind.storage)).rejects.toMatchObject({
        code: 'FORMAT_NEWER',
        details: { found: head.format + 1, supported: head.format },
      })
      expect(await kind.dump()).toEqual(newer)
    })
  })
}

/** A store that several processes have, one after the other. */
const shared: { readonly [name: string]: () => (options: SealingOptions) => Kind } = {
  levelSealed: () => level.bind(undefined, new MemoryLevel<string, string>()),
  indexeddbSealed: () => indexeddb.bind(undefined, new IDBFactory()),
}

it.each(Object.entries(shared))('%s that an earlier release sealed is opened with its key, and with no other', async (name, make) => {
  const record = await recorded(name, async () => {
    const kind = make()(sealing)
    await writeLives(kind.storage, compressible)
    return kind.dump()
  })
  const opened = make()
  await opened({}).fill(record)
  await opensWithItsKeyOnly((options) => readLives(opened(options).storage), livesContent({ more: compressible, journals: true }))
})

it('a database of the browser that a newer release made is refused by name', async () => {
  const kind = indexeddb()
  await kind.fill({ version: 2, entries: {} })
  await expect(readLives(kind.storage)).rejects.toMatchObject({ code: 'FORMAT_NEWER' })
})
