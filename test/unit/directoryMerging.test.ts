import { either as E } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { chooseRun } from '../../backends/directory/compaction.js'
import { type DirectoryOptions, directory } from '../../backends/directory/directory.js'
import { hashOf, KeyTable } from '../../backends/directory/keyTable.js'
import { CrashFs } from '../../laws/crashFs.js'
import { chance } from '../../laws/crashFsChoices.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import { chunksOf, type Found, must, nothing, publishOn, type RowChange, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { modelDirectory, modelOptions } from '../simulation/directoryModel.js'

const job = jobName('j')
const put = (key: number): RowChange => ({ uid: 'a', table: 'one', key, deleted: false })
const gone = (key: number): RowChange => ({ uid: 'a', table: 'one', key, deleted: true })

async function opened(files: CrashFs, options: DirectoryOptions = {}): Promise<{ readonly session: CheckpointSession; readonly found: Found }> {
  const session = await must(modelDirectory(files, 1, options).open(job))
  return { session, found: await recover(session) }
}

/** Publishes each, waiting for merges, and answers what the next run finds beside what was written. */
async function published(
  files: CrashFs,
  plan: readonly (readonly RowChange[])[],
  options: DirectoryOptions = {},
): Promise<readonly [found: Found, expected: Found]> {
  const { session, found } = await opened(files, options)
  let expected = found
  for (const [index, changes] of plan.entries()) {
    expected = await publishOn(session, expected, index + 1, changes)
    await session.idle()()
  }
  await session.close()()
  const again = await opened(files, options)
  await again.session.idle()()
  await again.session.close()()
  return [again.found, expected]
}

const bytesOf = (files: CrashFs): number => [...files.contents().values()].reduce((sum, bytes) => sum + bytes.length, 0)

describe('merging segments', () => {
  it('keeps a deletion while an older segment may have the row', async () => {
    const base = Array.from({ length: 200 }, (_, index) => put(index % 120))
    const [found, expected] = await published(new CrashFs(), [base, [gone(1)], [gone(2)], [put(3)], [put(4)], [gone(5)], [put(6)]])
    expect(found).toEqual(expected)
    expect(expected.rows.size).toBe(117)
  })

  it('does not bring back a row that was written and deleted within one checkpoint', async () => {
    const [found, expected] = await published(new CrashFs(), [[put(1), put(7), gone(7)], [put(2), gone(2), put(2)], [put(3)], [put(4)], [put(5)]])
    expect(found).toEqual(expected)
    expect(expected.rows.size).toBe(5)
  })

  it('forgets deletions in the end, so that what is kept follows what lives', async () => {
    const keys = Array.from({ length: 120 }, (_, key) => key)
    const files = new CrashFs()
    const [found] = await published(files, [keys.map(put), keys.map(gone), [put(1)], [put(2)], [put(3)], [put(4)]], { retainedCheckpoints: 1 })
    expect(found.rows.size).toBe(4)
    const never = new CrashFs()
    await published(never, [keys.map(put)], { retainedCheckpoints: 1 })
    expect(bytesOf(files)).toBeLessThan(bytesOf(never) / 8)
  })

  it('takes neighbours from the newest backwards, and leaves a large old one alone', () => {
    const chain = [1_000, 40, 30, 20, 10].map((bytes, index) => ({ file: String(index), bytes, rows: bytes, sha256: '' }))
    expect(chooseRun(chain, 8)).toBeUndefined()
    expect(chooseRun(chain, 3)).toEqual({ segments: chain.slice(1), oldest: false })
    expect(chooseRun(chain.slice(1), 3)?.oldest).toBe(true)
  })

  it('keeps what it reads, when checkpoints that need none of it are published meanwhile', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = chance(seed)
      const files = asProcess(new CrashFs(), () => Math.floor(random() * 6))
      const storage = directory('/state', { ...modelOptions(seed), files, compactAfterSegments: 3 })
      let session = await must(storage.open(job))
      let expected = await recover(session)
      for (let id = 1; id <= 5; id += 1) {
        expected = await publishOn(session, expected, id, [put(0), put(id), gone(id)])
        await session.close()()
        session = await must(storage.open(job))
        await recover(session)
      }
      for (const [id, changes] of [
        [6, [put(1)]],
        [7, []],
      ] as const)
        expected = await publishOn(session, expected, id, changes)
      expected = await publishOn(session, { ...nothing, checkpointId: 7 }, 8, [], undefined, { whole: true })
      for (const id of [9, 10, 11]) expected = await publishOn(session, expected, id, [])
      await session.close()()
    }
  })

  it('that meets damage makes the next publish fail, naming the file', async () => {
    const files = new CrashFs()
    const { session, found } = await opened(files)
    const first = await publishOn(session, found, 1, [put(1)])
    await session.idle()()
    const [path, bytes] = [...files.contents()].find(([name]) => name.includes('segment-')) as [string, Uint8Array]
    files.damage(path, bytes.slice(1))
    const third = await publishOn(session, await publishOn(session, first, 2, [put(2)]), 3, [put(3)])
    await session.idle()()
    const refused = await session.begin(checkpointId(third.checkpointId + 1)).publish({})()
    expect(E.isLeft(refused) && refused.left).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file: path.slice(path.lastIndexOf('/') + 1) } })
    await session.close()()
  })

  it('whose sync of the folder fails spoils the names that were made meanwhile', async () => {
    const files = new CrashFs()
    const { session, found } = await opened(files)
    let state = found
    for (let id = 1; id <= 2; id++) state = await publishOn(session, state, id, [put(id)])
    await session.idle()()
    state = await publishOn(session, state, 3, [put(3)])
    // The merge has begun. Its sync fails, and the next sync would report the new segment as durable.
    let failures = 0
    files.faults = ({ name }) => (name === 'syncDirectory' && failures++ === 0 ? { code: 'EIO' } : undefined)
    const writer = session.begin(checkpointId(4))
    for (const chunk of chunksOf([put(4)], 4)) await must(writer.write(chunk))
    await session.idle()()
    expect(failures).toBe(1)
    const refused = await writer.publish({})()
    expect(E.isLeft(refused) && refused.left.code).toBe('BACKEND_IO')
    state = await publishOn(session, state, 5, [put(4)])
    await session.close()()
    const cut = files.cutAt(files.cuts).image(() => false)
    expect((await opened(cut)).found).toEqual(state)
  })
})

describe('what stays in the folder', () => {
  it('are the two newest slots, whatever is retained: a fenced writer must see one of them', async () => {
    const files = new CrashFs()
    const { session, found } = await opened(files, { retainedCheckpoints: 1 })
    let state = found
    for (let id = 1; id <= 4; id++) state = await publishOn(session, state, id, [put(1)])
    await session.idle()()
    expect([...files.contents().keys()].filter((name) => name.includes('manifest-')).sort()).toEqual([
      '/state/j/manifest-000000000004',
      '/state/j/manifest-000000000005',
    ])
    expect(session.retained()).toEqual([4])
    await session.close()()
  })

  it('is what others put there, and what a higher epoch wrote', async () => {
    const files = new CrashFs()
    const { session, found } = await opened(files)
    const strangers = [
      '/state/j/notes.txt',
      '/state/j/segment-00000009-000000000001-000001-00000000',
      '/state/j/temporary-00000009-00000000',
      '/state/j/segment-x',
    ]
    for (const path of strangers) await (await files.create(path)).close()
    await (await files.create('/state/j/temporary-00000000-00000000')).close()
    await publishOn(session, found, 1, [put(1)])
    await session.idle()()
    expect([...files.contents().keys()]).toEqual(expect.arrayContaining(strangers))
    expect([...files.contents().keys()]).not.toContain('/state/j/temporary-00000000-00000000')
    await session.close()()
  })
})

describe('a table of keys', () => {
  it('tells the first owner of each key, through growth and equal hashes', () => {
    const table = new KeyTable(1)
    const key = (number: number): Uint8Array => Uint8Array.of(number & 255, number >> 8, 7)
    for (let number = 0; number < 5_000; number++) expect(table.hadByOther(number % 3, key(number), number % 50, 2, true)).toBe(false)
    for (let number = 0; number < 5_000; number++) {
      expect(table.hadByOther(number % 3, key(number), number % 50, 2, true)).toBe(false)
      expect(table.hadByOther(number % 3, key(number), number % 50, 1, false)).toBe(true)
      expect(table.hadByOther(3, key(number), number % 50, 1, false)).toBe(false)
    }
    expect(hashOf(key(1))).not.toBe(hashOf(key(2)))
  })
})
