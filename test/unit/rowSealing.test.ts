import { either as E, option as O } from 'fp-ts'
import * as t from 'io-ts'
import { MemoryLevel } from 'memory-level'
import { from, lastValueFrom, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { type LevelOptions, levelIn } from '../../backends/level/level.js'
import { must, nothing, readAll, recover } from '../../laws/storageHistory.js'
import type { Stream } from '../../lib/element.js'
import { BackendError } from '../../lib/errors.js'
import { checkpointId, type JobName, jobName } from '../../lib/identity.js'
import { sealed as summed, unsealed as unsummed } from '../../lib/keyValue/sealed.js'
import type { CheckpointSession, CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import { isEnvelope } from '../../lib/sealing/envelope.js'
import { nodeCrypto, nodePrimitives } from '../../lib/sealing/nodePrimitives.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { webPrimitives } from '../../lib/sealing/primitives.js'
import { ValueCipher } from '../../lib/sealing/valueCipher.js'
import { unwrap } from '../../lib/task.js'
import { type CheckpointedOptions, checkpointed } from '../../operators/checkpointed.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { chunkOf } from '../support/checkpoints.js'
import { encryption, sealingKey } from '../support/sealingKeys.js'
import { publishTotals, totals } from '../support/totals.js'

type Database = MemoryLevel<Buffer, Buffer>
const raw = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const orders = jobName('orders')
const sealed: LevelOptions = { encryption: encryption(1), compression: 'zlib' }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const texts = (letters: string): Uint8Array => Uint8Array.from(letters, (letter) => letter.charCodeAt(0))

const newDatabase = (): Database => new MemoryLevel<Buffer, Buffer>(raw)
const storageIn = (database: Database, options: LevelOptions): CheckpointStorage => levelIn(new WeakMap(), database, options)

type Rows = { readonly [key: string]: string | undefined }

const journalOf = (session: CheckpointSession): Promise<Journal> => unwrap((session.journal as NonNullable<CheckpointSession['journal']>)())

interface Writing {
  readonly job?: JobName
  readonly entries?: readonly string[]
}

/** Opens, publishes checkpoints, appends to the journal, and closes. */
async function write(
  database: Database,
  options: LevelOptions,
  checkpoints: { readonly [id: number]: Rows },
  { job = orders, entries = [] }: Writing = {},
) {
  const session = await must(storageIn(database, options).open(job))
  await recover(session)
  const journal = await journalOf(session)
  for (const entry of entries) await unwrap(journal.append([entry]))
  for (const [id, rows] of Object.entries(checkpoints)) await publishTotals(session, Number(id), rows)
  await session.close()()
}

/** What the next run finds: its rows by their keys, and the journal; or the error. */
async function read(
  database: Database,
  options: LevelOptions,
  job = orders,
): Promise<{ readonly rows: Rows; readonly entries: readonly string[] } | BackendError> {
  const session = await must(storageIn(database, options).open(job))
  try {
    const latest = await unwrap(session.latest())
    const found = O.isSome(latest) ? await readAll(latest.value) : nothing
    if (O.isSome(latest)) expect(latest.value.body).toEqual({ id: latest.value.checkpointId, offset: 'offset-4711' })
    await unwrap(session.takeOver(latest))
    const journal = await journalOf(session)
    const entries = journal.end === 0 ? [] : await unwrap(journal.read(0, 100))
    const plain = [...found.rows].map(([name, value]) => [name.replace('totals/value/', ''), new TextDecoder().decode(texts(value))])
    return { rows: Object.fromEntries(plain), entries }
  } catch (error) {
    if (error instanceof BackendError) return error
    throw error
  } finally {
    await session.close()()
  }
}

/** What is stored of one kind (`lib/keyValue/places.ts`): 2 bodies, 3 rows, 6 entries of the journal. */
async function stored(database: Database, kind: number, job: string = orders): Promise<readonly (readonly [key: Buffer, value: Buffer])[]> {
  const prefix = Buffer.from(`!rxweir!!${job}!`)
  return (await database.iterator().all()).filter(([key]) => key.subarray(0, prefix.length).equals(prefix) && key[prefix.length] === kind)
}

const ada = { ada: 'ada-has-12', bob: 'bob-has-7' }
const long = 'a long value that says the same again and again. '.repeat(100)

describe('rows that are sealed', () => {
  it('leave no value, no key, no offset and no entry of the journal in the bytes that are stored', async () => {
    const database = newDatabase()
    await write(database, { encryption: encryption(1) }, { 1: ada, 2: { ada: 'ada-has-13' } }, { entries: ['{"entry":1}'] })
    expect(await read(database, sealed)).toEqual({ rows: { ada: 'ada-has-13', bob: 'bob-has-7' }, entries: ['{"entry":1}'] })
    const all = Buffer.concat((await database.iterator().all()).flat()).toString('latin1')
    for (const secret of ['ada', 'bob', 'has-', 'offset', 'entry', Buffer.from('"offset').toString('base64').slice(0, 8)])
      expect(all).not.toContain(secret)
    // What is said to stay readable, and tells that the search would have found something.
    for (const name of ['orders', 'totals', 'value']) expect(all).toContain(name)
  })

  it('never are the same bytes twice, though they say the same', async () => {
    const databases = [newDatabase(), newDatabase()] as const
    for (const database of databases) await write(database, sealed, { 1: ada }, { entries: ['first'] })
    for (const kind of [2, 3, 6]) {
      const [one, other] = await Promise.all(
        databases.map(async (database) => (await stored(database, kind)).map(([, value]) => value.toString('hex'))),
      )
      expect(one?.length).toBeGreaterThan(0)
      expect(one?.some((value) => other?.includes(value))).toBe(false)
    }
    // Nor are two rows of one storage, of one checkpoint or of two.
    const database = newDatabase()
    await write(database, sealed, { 1: { a: 'x', b: 'x' }, 2: { a: 'x' } })
    const heads = [...(await stored(database, 3)), ...(await stored(database, 4))].map(([, value]) => value.subarray(4, 45).toString('hex'))
    expect(new Set(heads).size).toBe(3)
  })

  it.each([
    ['whose values have changed places', 3],
    ['of the journal that have changed places', 6],
  ])('%s are refused', async (_, kind) => {
    const database = newDatabase()
    await write(database, sealed, { 1: ada }, { entries: ['first', 'later'] })
    const [one, other] = (await stored(database, kind)) as [readonly [Buffer, Buffer], readonly [Buffer, Buffer]]
    // How far the journal has come stands before an entry, in the clear.
    const own = kind === 6 ? 8 : 0
    const contentOf = ([, value]: readonly [Buffer, Buffer], from: readonly [Buffer, Buffer]): Buffer =>
      Buffer.from(summed(Buffer.concat([unsummed(value, 'it').subarray(0, own), unsummed(from[1], 'it').subarray(own)])))
    await database.put(one[0], contentOf(one, other))
    await database.put(other[0], contentOf(other, one))
    expect(await read(database, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { reason: 'it is not what was sealed here' } })
  })

  it('are refused in another job, and in a storage that was begun anew', async () => {
    const database = newDatabase()
    const bills = jobName('bills')
    await write(database, sealed, { 1: ada }, { entries: ['first'] })
    await write(database, sealed, { 1: ada }, { job: bills, entries: ['first'] })
    const earlier = newDatabase()
    await write(earlier, sealed, { 1: ada })
    for (const [kind, job, from] of [
      [2, bills, database],
      [3, bills, database],
      [6, bills, database],
      [3, orders, earlier],
    ] as const) {
      const [[, value]] = (await stored(from, kind, job)) as unknown as [readonly [Buffer, Buffer]]
      const [[key, own]] = (await stored(database, kind)) as unknown as [readonly [Buffer, Buffer]]
      await database.put(key, value)
      expect(await read(database, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
      await database.put(key, own)
    }
    expect(await read(database, sealed)).toMatchObject({ rows: ada })
    // With its place, too: the place is named by a secret of the other life.
    const [[key, own]] = (await stored(database, 3)) as unknown as [readonly [Buffer, Buffer]]
    const [[place, value]] = (await stored(earlier, 3)) as unknown as [readonly [Buffer, Buffer]]
    await database.del(key)
    await database.put(place, value)
    expect(await read(database, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { reason: 'its key is another' } })
    expect(own.equals(value)).toBe(false)
  })

  it('are refused with any bit changed by somebody who mends the checksum', async () => {
    const database = newDatabase()
    await write(database, sealed, { 1: { ada: 'x' } }, { entries: ['first'] })
    for (const kind of [2, 3, 6]) {
      const [[key, value]] = (await stored(database, kind)) as unknown as [readonly [Buffer, Buffer]]
      const content = Buffer.from(unsummed(value, 'it'))
      let refused = 0
      for (let at = 0; at < content.length; at += 1) {
        const changed = Buffer.from(content)
        changed[at] = (changed[at] as number) ^ (1 << (at % 7))
        await database.put(key, Buffer.from(summed(changed)))
        const result = await read(database, sealed).catch((error: unknown) => error)
        // The one text of the body and of an entry has no sum of its own: a letter that makes it no JSON is told by that.
        if (result instanceof BackendError)
          expect(['SNAPSHOT_CORRUPT', 'FORMAT_NEWER', 'KEY_MISSING', 'KEY_WRONG', 'FILE_NOT_SEALED']).toContain(result.code)
        else expect(result).toBeInstanceOf(SyntaxError)
        refused += 1
      }
      expect(refused).toBeGreaterThan(40)
      await database.put(key, value)
    }
    expect(await read(database, sealed)).toMatchObject({ rows: { ada: 'x' } })
  })

  it('of an older checkpoint are found without those that came later', async () => {
    const database = newDatabase()
    const session = await must(storageIn(database, { ...sealed, retainedCheckpoints: 3 }).open(orders))
    await recover(session)
    await publishTotals(session, 1, ada)
    await publishTotals(session, 2, { carl: 'carl-has-1', ada: 'ada-has-13' })
    await publishTotals(session, 3, { bob: undefined, carl: undefined, dora: 'dora-has-2' })
    const rowsAt = async (id: number) => {
      const held = await must(session.hold(checkpointId(id)))
      const { rows } = O.isSome(held) ? await readAll(held.value) : nothing
      session.letGo(checkpointId(id))
      return [...rows.keys()].map((name) => name.replace('totals/value/', '')).sort()
    }
    expect(await rowsAt(1)).toEqual(['ada', 'bob'])
    expect(await rowsAt(2)).toEqual(['ada', 'bob', 'carl'])
    expect(await rowsAt(3)).toEqual(['ada', 'dora'])
    await session.close()()
  })

  it('reach the storage in the order in which they were written', async () => {
    const database = newDatabase()
    const session = await must(storageIn(database, sealed).open(orders))
    await recover(session)
    const writer = session.begin(checkpointId(1))
    const later = session.begin(checkpointId(2))
    const chunk = (value: string) => chunkOf({ ada: value }, totals)
    // The first one takes longest to compress; nobody waits for it.
    const all = [writer.write(chunk(long.repeat(200)))(), writer.write(chunk('short'))(), writer.publish({ id: 1, offset: 'offset-4711' })()]
    expect((await Promise.all(all)).every(E.isRight)).toBe(true)
    await must(later.publish({ id: 2, offset: 'offset-4711' }))
    await session.close()()
    expect(await read(database, sealed)).toMatchObject({ rows: { ada: 'short' } })
  })
})

describe('a key of rows', () => {
  it('that is missing, another one, or not to be used at all is told apart', async () => {
    const database = newDatabase()
    await write(database, sealed, { 1: ada }, { entries: ['first'] })
    expect(await read(database, { encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    expect(await read(database, {})).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    const wrong = { keys: { k1: sealingKey(5) }, current: 'k1' }
    expect(await read(database, { encryption: wrong })).toMatchObject({ code: 'KEY_WRONG', details: { key: 'k1' } })
    const plain = newDatabase()
    await write(plain, {}, { 1: ada }, { entries: ['first'] })
    expect(await read(plain, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED' })
    const packed = newDatabase()
    await write(packed, { compression: 'zlib' }, { 1: ada })
    expect(await read(packed, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED' })
  })

  it('is not needed to open a journal that is not sealed, and no such journal is taken for one that is', async () => {
    const database = newDatabase()
    await write(database, {}, {}, { entries: ['first', '\u0001 by chance', long] })
    expect(await read(database, {})).toMatchObject({ entries: ['first', '\u0001 by chance', long] })
    expect(await read(database, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED', details: { what: 'entry 0 of the journal' } })
  })

  it('that is changed seals what is written from then on, and the old one opens the rest', async () => {
    const database = newDatabase()
    const both: LevelOptions = { encryption: encryption(1, 2) }
    await write(database, sealed, { 1: ada }, { entries: ['first'] })
    await write(database, both, { 2: { ada: 'ada-has-13' } }, { entries: ['later'] })
    const expected = { rows: { ada: 'ada-has-13', bob: 'bob-has-7' }, entries: ['first', 'later'] }
    expect(await read(database, both)).toEqual(expected)
    expect(await read(database, { encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1', what: 'a row' } })
    expect(await read(database, sealed)).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k2' } })
    // What everything was written anew with is enough.
    await write(database, both, { 3: { bob: 'bob-has-8' } })
    expect(await read(database, { encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { what: 'entry 0 of the journal' } })
  })

  it('is 32 random bytes, and for rows nothing is read that is not sealed', () => {
    expect(() => storageIn(newDatabase(), { encryption: { keys: { a: new Uint8Array(32) }, current: 'a' } })).toThrow('OPTION_INVALID')
    const mixed = { ...encryption(1), readsPlain: true }
    expect(() => storageIn(newDatabase(), { encryption: mixed })).toThrow('OPTION_INVALID')
    expect(() => storageIn(newDatabase(), { compression: 'zstd' as 'zlib' })).toThrow('OPTION_INVALID')
  })
})

describe('the primitives of Node', () => {
  it('are those of browsers, bit for bit', async () => {
    const node = nodeCrypto()
    if (node === undefined) throw new Error('this is Node')
    const web = webPrimitives()
    const both = [web, nodePrimitives(node, web.random)] as const
    const [key, salt, text] = [Uint8Array.from(sealingKey(1)), new Uint8Array(16).fill(3), Uint8Array.from(bytes('somebody'))]
    const digests = await Promise.all(both.map(async ({ keyedDigest }) => (await keyedDigest(key))(text)))
    expect(digests[0]).toEqual(digests[1])
    const [one, other] = await Promise.all([both[0].subkey(key, salt), both[1].subkey(key, salt)])
    expect(one.check).toEqual(other.check)
    const value = await one.seal(7, salt, text)
    expect(await other.seal(7, salt, text)).toEqual(value)
    for (const subkey of [one, other]) {
      expect(await subkey.open(7, salt, value)).toEqual(text)
      await expect(subkey.open(8, salt, value)).rejects.toThrow()
      await expect(subkey.open(7, key, value)).rejects.toThrow()
    }
  })
})

describe('rows that are compressed', () => {
  const sizeOf = async (options: LevelOptions): Promise<number> => {
    const database = newDatabase()
    await write(database, options, { 1: { long, short: 'x' } }, { entries: [long] })
    expect(await read(database, options)).toEqual({ rows: { long, short: 'x' }, entries: [long] })
    expect(await read(database, options.encryption === undefined ? {} : { encryption: options.encryption })).toMatchObject({
      rows: { long, short: 'x' },
    })
    return Buffer.concat((await database.iterator().all()).flat()).length
  }

  it('take less room, sealed ones too', async () => {
    const plain = await sizeOf({})
    expect(await sizeOf({ compression: 'zlib' })).toBeLessThan(plain / 4)
    expect(await sizeOf(sealed)).toBeLessThan(plain / 4)
    expect(await sizeOf({ encryption: encryption(1) })).toBeGreaterThan(plain)
  })

  it('may be so from any checkpoint on, and no longer from any other', async () => {
    const database = newDatabase()
    await write(database, {}, { 1: { one: long } })
    await write(database, { compression: 'zlib' }, { 2: { two: long } })
    await write(database, {}, { 3: { three: long } })
    expect(await read(database, {})).toMatchObject({ rows: { one: long, two: long, three: long } })
    const sizes = (await stored(database, 3)).map(([, value]) => value.length > 1_000)
    expect(sizes.sort()).toEqual([false, true, true])
  })

  it('never make more than they say they were', async () => {
    const cipher = new ValueCipher({ compression: 'zlib' }, [portableZlib], webPrimitives)
    const value = await cipher.sealer().seal(new Uint8Array(200_000), [])
    expect(isEnvelope(value) && value.length < 1_000).toBe(true)
    expect((await cipher.open(value, [], 'it')).length).toBe(200_000)
    for (const length of [199_999, 200_001, 1_000]) {
      const lying = value.slice()
      new DataView(lying.buffer).setUint32(4, length)
      await expect(cipher.open(lying, [], 'it')).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
    }
    const unknown = value.slice()
    unknown[3] = 2
    await expect(cipher.open(unknown, [], 'it')).rejects.toMatchObject({ code: 'FORMAT_NEWER' })
  })
})

describe('a job over rows that are sealed', () => {
  const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
  const counted = (
    words: readonly string[],
    options: Partial<Omit<CheckpointedOptions<string>, 'atEnd'>> & Pick<CheckpointedOptions<string>, 'storage'>,
  ) =>
    lastValueFrom(
      from(words).pipe(
        checkpointed('orders', { ...options, atEnd: 'suspend' }, (input: Stream<string>) =>
          input.pipe(
            keyBy((word) => word),
            count,
          ),
        ),
        toArray(),
      ),
    )

  it('goes on from what it sealed; one that was not sealed moves there from another storage', async () => {
    const database = newDatabase()
    const storage = storageIn(database, sealed)
    expect(await counted(['ada', 'bob', 'ada'], { storage })).toEqual(['ada 1', 'bob 1', 'ada 2'])
    expect(await counted(['ada'], { storage: storageIn(database, sealed) })).toEqual(['ada 3'])
    const plain = storageIn(newDatabase(), {})
    expect(await counted(['ada', 'bob'], { storage: plain })).toEqual(['ada 1', 'bob 1'])
    await expect(counted(['ada'], { storage: storageIn(database, {}) })).rejects.toMatchObject({ code: 'KEY_MISSING' })
    const moved = newDatabase()
    expect(await counted(['ada'], { storage: storageIn(moved, sealed), restore: { from: plain } })).toEqual(['ada 2'])
    expect(Buffer.concat((await moved.iterator().all()).flat()).toString('latin1')).not.toContain('ada')
  })

  it('has no live rows in them, where rows are read while a record waits', async () => {
    const database = newDatabase()
    expect(() => levelIn(new WeakMap(), database, sealed).state).toThrow('STATE_NOT_SYNCHRONOUS')
    await counted(['ada'], { storage: storageIn(database, { compression: 'zlib' }) })
    const { state, storage } = levelIn(new WeakMap(), database, {})
    await expect(counted(['ada'], { state, storage })).rejects.toMatchObject({ code: 'STATE_NOT_SYNCHRONOUS' })
  })
})
