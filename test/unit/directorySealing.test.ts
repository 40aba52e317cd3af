import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { either as E, option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { verifyJob } from '../../backends/directory/cli/verifyJob.js'
import { type DirectoryOptions, directory } from '../../backends/directory/directory.js'
import { Folder } from '../../backends/directory/folder.js'
import { isAvailable } from '../../backends/directory/sealing/compression.js'
import { FileProtection, protectionSettings } from '../../backends/directory/sealing/fileProtection.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type Found, must, publishOn, type RowChange, readAll, recover } from '../../laws/storageHistory.js'
import { BackendError } from '../../lib/errors.js'
import { jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { modelDirectory } from '../simulation/directoryModel.js'
import { encryption, sealingKey } from '../support/sealingKeys.js'

const job = jobName('j')
const put = (key: number): RowChange => ({ uid: 'a', table: 'one', key, deleted: false })
const sealed: DirectoryOptions = { encryption: encryption(1), compression: 'zlib', compactAfterSegments: 8 }

interface Everything {
  readonly found: Found
  readonly entries: readonly string[]
}

async function journalOf(session: CheckpointSession) {
  const journal = session.journal?.()
  if (journal === undefined) throw new Error('a directory has a journal')
  return must(journal)
}

async function allEntries(session: CheckpointSession): Promise<readonly string[]> {
  const journal = await journalOf(session)
  const entries: string[] = []
  while (entries.length < journal.end) entries.push(...(await unwrap(journal.read(entries.length, 100))))
  return entries
}

/** Opens, publishes, appends to the journal, and closes. */
async function write(files: CrashFs, options: DirectoryOptions, ids: readonly number[], entries: readonly string[] = []): Promise<Found> {
  const session = await must(modelDirectory(files, ids[0] ?? 0, options).open(job))
  let found = await recover(session)
  const journal = await journalOf(session)
  for (const entry of entries) await unwrap(journal.append([entry]))
  for (const id of ids) {
    found = await publishOn(session, found, id, [put(id), put(id + 1)])
    await session.idle()()
  }
  await session.close()()
  return found
}

/** What the next run finds, or the error. */
async function read(files: CrashFs, options: DirectoryOptions): Promise<Everything | BackendError> {
  const session = await must(modelDirectory(files, 77, options).open(job))
  try {
    const latest = await must(session.latest())
    const found = O.isSome(latest) ? await readAll(latest.value) : { checkpointId: 0, body: '', rows: new Map() }
    await must(session.takeOver(latest))
    return { found, entries: await allEntries(session) }
  } catch (error) {
    if (error instanceof BackendError) return error
    throw error
  } finally {
    await session.close()()
  }
}

async function written(): Promise<readonly [files: CrashFs, expected: Everything]> {
  const files = new CrashFs()
  const entries = ['first', 'x'.repeat(200), 'third']
  const found = await write(files, sealed, [1, 2], entries)
  const after = files.settled()
  // Empty, and not sealed: it only says that the run has ended.
  for (const path of after.contents().keys()) if (path.includes('/released-')) await after.unlink(path)
  return [after, { found, entries }]
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const pathOf = (files: CrashFs, part: string): string => [...files.contents().keys()].filter((path) => path.includes(part)).at(-1) as string
const bytesOf = (files: CrashFs, path: string): Buffer => Buffer.from(files.contents().get(path) as Uint8Array)

describe('a directory that is sealed', () => {
  it('holds nothing of the state, its names and the journal in the clear', async () => {
    const [files] = await written()
    for (const [path, bytes] of files.contents()) {
      const text = Buffer.from(bytes).toString('latin1')
      for (const secret of ['first', 'third', 'xxxxxxxx', '"checkpointId"', 'sha256', '\x01\0a\x03\0one']) expect(text, path).not.toContain(secret)
      expect(text, path).toContain('k1')
    }
  })

  it('is verified with its keys, the journal too', async () => {
    const [files] = await written()
    // The values that this test writes are no cells, which is what the segments are told for once their blocks are open.
    const verify = async (under: CrashFs, options: DirectoryOptions): Promise<readonly { readonly file: string; readonly code: string }[]> => {
      const protection = new FileProtection('j', protectionSettings(options))
      const folder = new Folder(under, '/state/j', () => '00000000', protection)
      const { damage } = await verifyJob(folder, 'j', { starts: () => undefined, read: () => undefined })
      return damage.filter(({ file }) => !file.startsWith('segment-'))
    }
    expect(await verify(files, sealed)).toEqual([])
    const journal = pathOf(files, 'entries-')
    const damaged = files.settled()
    damaged.damage(journal, bytesOf(files, journal).fill(7, 60, 61))
    expect(await verify(damaged, sealed)).toMatchObject([{ file: `journal/${nameOf(journal)}`, code: 'SNAPSHOT_CORRUPT' }])
  })

  it('never writes the same bytes twice, though it is told the same', async () => {
    const [one] = await written()
    const [other] = await written()
    const names = [...one.contents().keys()].filter((path) => other.contents().has(path))
    expect(names.length).toBeGreaterThan(3)
    for (const path of names) expect(bytesOf(one, path).equals(bytesOf(other, path))).toBe(false)
  })

  it('refuses to be read without the key, with another under its id, and by nobody who has it', async () => {
    const [files, expected] = await written()
    expect(await read(files.settled(), sealed)).toEqual(expected)
    expect(await read(files.settled(), { ...sealed, encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    expect(await read(files.settled(), { compactAfterSegments: 8 })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    const wrong = { keys: { k1: sealingKey(5) }, current: 'k1' }
    expect(await read(files.settled(), { ...sealed, encryption: wrong })).toMatchObject({ code: 'KEY_WRONG', details: { key: 'k1' } })
  })

  it('notices bytes that are damaged wherever they are, cuts, and bytes behind the end', async () => {
    const [files, expected] = await written()
    const outcomes = { noticed: 0, same: 0, shorter: 0 }
    const expectNoticed = async (path: string, bytes: Uint8Array): Promise<void> => {
      const damaged = files.settled()
      damaged.damage(path, bytes)
      const result = await read(damaged, sealed)
      if (result instanceof BackendError) {
        expect(['SNAPSHOT_CORRUPT', 'FORMAT_NEWER']).toContain(result.code)
        expect(result.details['file']).toBe(nameOf(path))
        outcomes.noticed += 1
      } else {
        expect(result.found, path).toEqual(expected.found)
        // The end of a journal may be that of a crash: what is left are the entries before it.
        expect(result.entries).toEqual(expected.entries.slice(0, result.entries.length))
        if (result.entries.length < expected.entries.length) expect(path).toContain('entries-')
        outcomes[result.entries.length < expected.entries.length ? 'shorter' : 'same'] += 1
      }
    }
    for (const [path, bytes] of files.contents()) {
      // Every byte of what stands before the first block, and some of the blocks.
      for (let at = 0; at < bytes.length; at += at < 140 ? 1 : 5) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ (1 << (at % 8))
        await expectNoticed(path, damaged)
      }
      for (let length = 0; length < bytes.length; length += 29) await expectNoticed(path, bytes.slice(0, length))
      await expectNoticed(path, Uint8Array.of(...bytes, 0))
    }
    expect(outcomes.noticed).toBeGreaterThan(700)
    expect(outcomes.shorter).toBeGreaterThan(10)
  })

  it('notices a file in the place of another, of another life of the folder, too', async () => {
    const [files] = await written()
    const [earlier] = await written()
    const contents = [...files.contents()].filter(([path]) => !path.endsWith('manifest-000000000001') && !path.endsWith('manifest-000000000002'))
    for (const [path] of contents)
      for (const [, other] of [...contents, ...earlier.contents()].filter(([name]) => name !== path || !contents.some(([own]) => own === name))) {
        const swapped = files.settled()
        swapped.damage(path, other)
        expect(await read(swapped, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file: nameOf(path) } })
      }
    // What no manifest names by its digest: the journal. It is bound to the life of the folder.
    const replayed = files.settled()
    const journal = pathOf(files, 'entries-')
    expect(pathOf(earlier, 'entries-')).toBe(journal)
    replayed.damage(journal, bytesOf(earlier, journal))
    expect(await read(replayed, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file: nameOf(journal) } })
  })

  it('notices blocks that were moved or changed by somebody who mends the checksums', async () => {
    const [files] = await written()
    const journal = pathOf(files, 'entries-')
    const bytes = bytesOf(files, journal)
    const groups: Buffer[] = []
    const start = 16 + 2 + nameOf(journal).length + 2 + 2 + 32 + 16 + 4
    for (let at = start; at < bytes.length; ) {
      const end = at + 16 + bytes.readUInt32LE(at) + 4
      groups.push(bytes.subarray(at, end))
      at = end
    }
    expect(groups.length).toBe(3)
    const [one, two, three] = groups as [Buffer, Buffer, Buffer]
    const mended = (group: Buffer, change: (group: Buffer) => void): Buffer => {
      const copy = Buffer.from(group)
      change(copy)
      copy.writeUInt32LE(crc32(copy.subarray(0, copy.length - 4)), copy.length - 4)
      return copy
    }
    const numbered = (group: Buffer, first: bigint): Buffer => mended(group, (copy) => copy.writeBigUInt64LE(first, 8))
    for (const forged of [
      [one, two, mended(three, (group) => group.writeUInt8(group.readUInt8(22) ^ 1, 22))],
      [one, two, numbered(two, 2n)],
      [one, numbered(three, 1n), numbered(two, 2n)],
      [numbered(two, 0n)],
      [mended(one, (group) => group.writeUInt32LE(7, 16)), two],
    ]) {
      const damaged = files.settled()
      damaged.damage(journal, Buffer.concat([bytes.subarray(0, start), ...forged]))
      expect(await read(damaged, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file: nameOf(journal) } })
    }

    const manifest = pathOf(files, 'manifest-')
    const text = bytesOf(files, manifest)
    const first = 16 + 2 + 2 + 32 + 16 + 4
    text.writeUInt8(text.readUInt8(first + 30) ^ 1, first + 30)
    const length = text.readUInt32LE(first)
    text.writeUInt32LE(crc32(text.subarray(first, first + 4 + length)), first + 4 + length)
    createHash('sha256')
      .update(text.subarray(0, -32))
      .digest()
      .copy(text, text.length - 32)
    const damaged = files.settled()
    damaged.damage(manifest, text)
    const result = await read(damaged, sealed)
    expect(result).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { reason: 'a block is not what was sealed here' } })
  })

  it('takes no file that is not sealed, unless it is told to', async () => {
    const files = new CrashFs()
    const found = await write(files, { compactAfterSegments: 8 }, [1, 2], ['plain'])
    expect(await read(files.settled(), sealed)).toMatchObject({ code: 'FILE_NOT_SEALED' })
    const both: DirectoryOptions = { ...sealed, encryption: { ...encryption(1), readsPlain: true } }
    expect(await read(files.settled(), both)).toEqual({ found, entries: ['plain'] })
    // The journal goes on, and merges seal what was there.
    const later = await write(files, both, [3, 4, 5, 6], ['sealed'])
    expect(await read(files.settled(), sealed)).toEqual({ found: later, entries: ['plain', 'sealed'] })
    for (const [path, bytes] of files.contents()) if (!path.includes('/released-')) expect(bytes[8]).toBe(2)
  })

  it('takes no segment and no journal that is not sealed, either', async () => {
    const [files] = await written()
    const plain = new CrashFs()
    await write(plain, { compactAfterSegments: 8 }, [1, 2], ['first'])
    const journal = pathOf(files, 'entries-')
    const forged = files.settled()
    forged.damage(journal, bytesOf(plain, journal))
    expect(await read(forged, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED', details: { file: nameOf(journal) } })
    const packed = new CrashFs()
    await write(packed, { compactAfterSegments: 8, compression: 'zlib' }, [1, 2], ['first'])
    forged.damage(journal, bytesOf(packed, journal))
    expect(await read(forged, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED', details: { file: nameOf(journal) } })
  })
})

describe('a key that is changed', () => {
  const with2: DirectoryOptions = { ...sealed, encryption: encryption(1, 2) }

  it('seals what is written from then on; what was sealed before is read, and rewritten by a merge', async () => {
    const [files, { found }] = await written()
    expect(await read(files.settled(), with2)).toMatchObject({ found })
    const later = await write(files, with2, [3, 4, 5, 6])
    // Behind the name of the file; further on there may be any letters.
    for (const bytes of files.contents().values()) expect(Buffer.from(bytes).toString('latin1', 0, 120)).not.toMatch(/[-0-9a-z]{6}\W?k1/)
    expect(await read(files.settled(), { ...sealed, encryption: encryption(2) })).toMatchObject({ found: later })
    expect(await read(files.settled(), sealed)).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k2' } })
  })

  it('too early makes the next checkpoint fail, and loses nothing', async () => {
    const [files, expected] = await written()
    // A manifest of the new key, and segments of the old one.
    const session = await must(modelDirectory(files, 5, { ...with2, compactAfterSegments: 8 }).open(job))
    await recover(session)
    await session.close()()
    const early = await must(modelDirectory(files, 6, { ...sealed, encryption: encryption(2) }).open(job))
    const latest = await must(early.latest())
    await must(early.takeOver(latest))
    await publishOn(early, expected.found, 3, [])
    await early.idle()()
    const failed = await early.begin(4 as never).publish(null)()
    expect(E.isLeft(failed) && failed.left.code).toBe('KEY_MISSING')
    await early.close()()
    expect(await read(files, with2)).toMatchObject({ found: { rows: expected.found.rows } })
  })
})

describe('compression', () => {
  const big = (id: number): readonly RowChange[] => Array.from({ length: 120 }, (_, key) => put((key * 7 + id) % 100))
  const sizeOf = async (options: DirectoryOptions): Promise<readonly [bytes: number, found: Found | undefined]> => {
    const files = new CrashFs()
    const session = await must(modelDirectory(files, 1, options).open(job))
    const found = await publishOn(session, await recover(session), 1, [...big(1), ...big(2), ...big(3), ...big(4), ...big(5), ...big(6), ...big(7)])
    await session.close()()
    const again = await read(files, options)
    if (again instanceof BackendError) throw again
    expect(again.found).toEqual(found)
    return [[...files.contents().values()].reduce((sum, bytes) => sum + bytes.length, 0), found]
  }

  it('makes files shorter, sealed ones too', async () => {
    const [plain] = await sizeOf({})
    const [packed] = await sizeOf({ compression: 'zlib' })
    const [both] = await sizeOf(sealed)
    const [onlySealed] = await sizeOf({ encryption: encryption(1) })
    expect(packed).toBeLessThan(plain / 4)
    expect(both).toBeLessThan(plain / 4)
    expect(onlySealed).toBeGreaterThan(plain)
    expect(onlySealed).toBeLessThan(plain * 1.05 + 2_000)
  })

  it.runIf(isAvailable('zstd'))('with zstd reads back the same', async () => {
    const [plain] = await sizeOf({})
    const [packed] = await sizeOf({ compression: 'zstd' })
    expect(packed).toBeLessThan(plain / 4)
  })

  it.runIf(!isAvailable('zstd'))('with zstd is refused where Node has none', () => {
    expect(() => directory('/state', { compression: 'zstd' })).toThrow('OPTION_INVALID')
  })

  it('of one release is read whatever the next one is told', async () => {
    const files = new CrashFs()
    await write(files, { compression: 'zlib' }, [1, 2], ['packed'])
    const found = await write(files, {}, [3], ['plain'])
    expect(await read(files, { compression: 'zlib' })).toEqual({ found, entries: ['packed', 'plain'] })
  })

  it('never makes more of a block than the block says it was', async () => {
    const writer = new FileProtection('j', protectionSettings({ compression: 'zlib' })).sealer('f', Buffer.alloc(0))
    if (writer === undefined) throw new Error('compressed files have a protection')
    const block = Buffer.concat(await writer.seal(Buffer.alloc(200_000), 100))
    expect(block.length).toBeLessThan(1_000)
    const beginning = writer.beginning
    const openerOf = (bytesMax: number) => {
      let at = 0
      const take = async (length: number): Promise<Buffer> => {
        at += length
        return beginning.subarray(at - length, at)
      }
      return new FileProtection('j', protectionSettings({})).opener('f', Buffer.alloc(0), take, bytesMax)
    }
    expect((await (await openerOf(200_000)).open(block, 100)).equals(Buffer.alloc(200_000))).toBe(true)
    await expect((await openerOf(199_999)).open(block, 100)).rejects.toThrow('SNAPSHOT_CORRUPT')
    for (const length of [199_999, 200_001, 10_000, block.length - 4]) {
      const lying = Buffer.from(block)
      lying.writeUInt32LE(length, 0)
      if (length === block.length - 4) expect((await (await openerOf(300_000)).open(lying, 100)).length).toBe(length)
      else await expect((await openerOf(300_000)).open(lying, 100)).rejects.toThrow('SNAPSHOT_CORRUPT')
    }
  })
})

describe('the seal of a file', () => {
  it('is made once for each position, in order', async () => {
    const sealer = new FileProtection('j', protectionSettings({ encryption: encryption(1) })).sealer('f', Buffer.alloc(0))
    await sealer?.seal(Buffer.from('one'), 100)
    await expect(sealer?.seal(Buffer.from('two'), 100)).rejects.toThrow('blocks are sealed once')
    await expect(sealer?.seal(Buffer.from('two'), 99)).rejects.toThrow('blocks are sealed once')
  })

  it('needs keys of 32 random bytes with ids that can stand in a file, and tells none of them', () => {
    const refused = (encryption: DirectoryOptions['encryption']): unknown => {
      try {
        return directory('/state', encryption === undefined ? {} : { encryption })
      } catch (error) {
        return error
      }
    }
    const good = sealingKey(1)
    for (const bad of [
      { keys: {}, current: 'a' },
      { keys: { a: good }, current: 'b' },
      { keys: { a: good.slice(1) }, current: 'a' },
      { keys: { a: new Uint8Array(32) }, current: 'a' },
      { keys: { 'a/b': good }, current: 'a/b' },
      { keys: { ['x'.repeat(65)]: good }, current: 'x'.repeat(65) },
    ]) {
      const error = refused(bad)
      expect(error).toMatchObject({ code: 'OPTION_INVALID' })
      expect(JSON.stringify(error) + String(error)).not.toContain(String(good[5]).repeat(2))
    }
    expect(() => directory('/state', { compression: 'lz' as never })).toThrow('OPTION_INVALID')
  })

  it('takes the keys as they were when they were given', async () => {
    const key = sealingKey(1)
    const files = new CrashFs()
    const options = { encryption: { keys: { k1: key }, current: 'k1' } }
    const storage = modelDirectory(files, 1, options)
    key.fill(0)
    const session = await must(storage.open(job))
    const found = await publishOn(session, await recover(session), 1, [put(1)])
    await session.close()()
    expect(await read(files, { encryption: encryption(1) })).toMatchObject({ found })
  })
})
