import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { type CompactFolderOptions, compactFolder } from '../../backends/directory/compactFolder.js'
import type { DirectoryOptions } from '../../backends/directory/directory.js'
import { CrashFs } from '../../laws/crashFs.js'
import { failNth } from '../../laws/crashFsError.js'
import { type Found, must, nothing, publishOn, type RowChange, readAll, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { modelDirectory, modelOptions } from '../simulation/directoryModel.js'
import { encryption } from '../support/sealingKeys.js'

const job = jobName('j')
const row = (key: number, deleted = false): RowChange => ({ uid: 'a', table: 'one', key, deleted })
const rounds: readonly (readonly RowChange[])[] = [
  [row(1), row(2), row(3)],
  [row(1), row(4)],
  [row(2, true), row(5)],
  [row(1), row(5, true)],
]
/** Merges nothing by itself. */
const options: DirectoryOptions = { compactAfterSegments: 100 }

/** A folder whose last run has published four checkpoints; what the last two hold. */
async function written(
  more: DirectoryOptions = {},
): Promise<{ readonly files: CrashFs; readonly session: CheckpointSession; readonly founds: readonly Found[] }> {
  const files = new CrashFs()
  const session = await must(modelDirectory(files, 1, { ...options, ...more }).open(job))
  const founds = [await recover(session)]
  for (const [index, changes] of rounds.entries()) founds.push(await publishOn(session, founds.at(-1) ?? nothing, index + 1, changes))
  await session.idle()()
  return { files, session, founds }
}

const compacted = (files: CrashFs, more: CompactFolderOptions = {}) =>
  compactFolder('/state', job, { ...modelOptions(2), ...options, files, ...more })

/** What the newest checkpoint holds, and the one before where it is retained. */
async function read(files: CrashFs, more: DirectoryOptions = {}): Promise<{ readonly newest: Found; readonly older: Found | undefined }> {
  const session = await must(modelDirectory(files, 3, { ...options, ...more }).open(job, { readOnly: true }))
  try {
    const latest = await must(session.latest())
    const older = await must(session.hold(checkpointId(3)))
    return { newest: O.isSome(latest) ? await readAll(latest.value) : nothing, older: O.isSome(older) ? await readAll(older.value) : undefined }
  } finally {
    await session.close()()
  }
}

const namesOf = (files: CrashFs, kind: string): readonly string[] => [...files.contents().keys()].filter((name) => name.includes(`/${kind}-`)).sort()

describe('compacting a folder that no run holds', () => {
  it('makes one segment of many, and keeps what the checkpoints hold', async () => {
    const { files, session, founds } = await written()
    await session.close()()
    const told = await compacted(files)
    expect(told).toMatchObject({ checkpointId: 4, retained: [3, 4], dropped: [], segmentsBefore: 4, segmentsAfter: 1, rowsBefore: 9, rowsAfter: 3 })
    expect(await read(files)).toEqual({ newest: founds[4], older: founds[3] })
    // The segments of checkpoint 3 are there; the fourth and its manifest are not needed.
    expect(namesOf(files, 'segment')).toHaveLength(4)
    expect(await compacted(files)).toMatchObject({ segmentsBefore: 1, segmentsAfter: 1, bytesBefore: told.bytesAfter })
  })

  it('gives up older checkpoints where that is asked for, and says which', async () => {
    const { files, session, founds } = await written()
    await session.close()()
    const told = await compacted(files, { newestOnly: true })
    expect(told).toMatchObject({ retained: [4], dropped: [3] })
    expect(told.bytesAfter).toBeLessThan(told.bytesBefore)
    expect(await read(files)).toEqual({ newest: founds[4], older: undefined })
    expect(namesOf(files, 'segment')).toHaveLength(1)
  })

  it('lets the next run go on from it', async () => {
    const { files, session, founds } = await written()
    await session.close()()
    await compacted(files)
    const next = await must(modelDirectory(files, 4, options).open(job))
    expect(await recover(next)).toEqual(founds[4])
    const fifth = await publishOn(next, founds[4] as Found, 5, [row(1, true), row(6)])
    await next.close()()
    expect((await read(files)).newest).toEqual(fifth)
    expect(namesOf(files, 'released')).toEqual(['/state/j/released-00000003'])
  })

  it('reads sealed segments and seals what it writes', async () => {
    const { files, session, founds } = await written({ encryption: encryption(1) })
    await session.close()()
    await expect(compacted(files)).rejects.toMatchObject({ code: 'KEY_MISSING' })
    expect(await compacted(files, { encryption: encryption(1) })).toMatchObject({ segmentsAfter: 1 })
    expect((await read(files, { encryption: encryption(1) })).newest).toEqual(founds[4])
    // Another key than the one that sealed it: written anew, though it is one segment.
    expect(await compacted(files, { encryption: encryption(1, 2), newestOnly: true })).toMatchObject({ segmentsBefore: 1, segmentsAfter: 1 })
    expect((await read(files, { encryption: encryption(2) })).newest).toEqual(founds[4])
  })

  it('finds nothing where there is no checkpoint', async () => {
    const files = new CrashFs()
    await expect(compacted(files)).rejects.toMatchObject({ code: 'SAVEPOINT_MISSING' })
  })
})

describe('a folder that a run holds', () => {
  it('is not written to: neither while a run of this process goes on, nor where one of another has not said that it ended', async () => {
    const { files, session } = await written()
    const before = [...files.contents().keys()].sort()
    await expect(compacted(files)).rejects.toMatchObject({ code: 'BACKEND_IN_USE' })
    // As another process finds it.
    const elsewhere = files.cutAt(files.cuts).image(() => true)
    await expect(compacted(elsewhere)).rejects.toMatchObject({ code: 'BACKEND_IN_USE', details: { epoch: 1 } })
    expect([...elsewhere.contents().keys()].sort()).toEqual(before)
    expect(await compacted(elsewhere, { stopped: true })).toMatchObject({ segmentsAfter: 1 })
    await session.close()()
    expect(await compacted(files)).toMatchObject({ segmentsAfter: 1 })
  })

  it('is not written to where a run begins meanwhile', async () => {
    const { files, session, founds } = await written()
    await session.close()()
    let begins = true
    // The run of another process takes over while rows are merged, and publishes a checkpoint.
    const other = async (): Promise<void> => {
      const twin = new Proxy(files, {})
      const next = await must(modelDirectory(twin, 5, options).open(job))
      await publishOn(next, await recover(next), 5, [row(7)])
      await next.close()()
    }
    const under: Promise<void>[] = []
    const failed = compacted(files, {
      read() {
        if (begins) under.push(other())
        begins = false
      },
    })
    await expect(failed).rejects.toMatchObject({ code: 'BACKEND_FENCED' })
    await Promise.all(under)
    const { newest } = await read(files)
    expect(newest.checkpointId).toBe(5)
    expect([...newest.rows]).toEqual(expect.arrayContaining([...(founds[4] as Found).rows]))
  })
})

describe('compacting that fails', () => {
  it('at any operation leaves the same state, and can be done again', async () => {
    let failures = 0
    for (const how of ['once', 'sticky'] as const)
      for (let nth = 0; ; nth += 1) {
        const { files, session, founds } = await written()
        await session.close()()
        const from = files.calls
        files.faults = failNth(from + nth, 'EIO', how)
        const failure = await compacted(files).then(
          () => undefined,
          (error: { code: string }) => error.code,
        )
        const calls = files.calls - from
        files.faults = undefined
        if (failure !== undefined) {
          failures += 1
          expect(['BACKEND_IO', 'SNAPSHOT_CORRUPT']).toContain(failure)
        }
        expect(await read(files), `${how}, call ${nth}`).toEqual({ newest: founds[4], older: founds[3] })
        await compacted(files, { stopped: true })
        expect(await read(files), `${how}, call ${nth}, again`).toEqual({ newest: founds[4], older: founds[3] })
        if (nth >= calls) break
      }
    expect(failures).toBeGreaterThan(20)
  })

  it('by a power cut at any moment leaves the same state, and the next run removes what is left behind', async () => {
    const { files, session, founds } = await written()
    await session.close()()
    const from = files.cuts
    await compacted(files, { newestOnly: true })
    expect(files.cuts - from).toBeGreaterThan(10)
    for (let cut = from; cut <= files.cuts; cut += 1)
      for (const survives of [() => true, () => false]) {
        const image = files.cutAt(cut).image(survives)
        expect((await read(image)).newest, `cut ${cut}`).toEqual(founds[4])
        const next = await must(modelDirectory(image, 6, options).open(job))
        const fifth = await publishOn(next, await recover(next), 5, [row(8)])
        const sixth = await publishOn(next, fifth, 6, [row(8)])
        await next.idle()()
        await next.close()()
        expect((await read(image)).newest, `cut ${cut}`).toEqual(sixth)
        expect(namesOf(image, 'segment').length, `cut ${cut}`).toBeLessThanOrEqual(6)
      }
  })
})
