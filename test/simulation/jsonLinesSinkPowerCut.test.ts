import { describe, expect, it } from 'vitest'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type Chance, chance, choices } from '../../laws/crashFsChoices.js'
import { failNth } from '../../laws/crashFsError.js'
import { driverNotes, type Known } from '../support/driverNotes.js'
import { committedLines, hiddenParts } from '../support/parts.js'
import { drive, type Manifest, noManifest } from '../support/sinkDriver.js'

const path = '/data/out'
const sinkOn = (files: CrashFs, bufferBytesMax = 8_000_000) => jsonLinesSink<unknown>(path, { files, bufferBytesMax })

/** Notes what is known as a run goes on. */
const notes = (files: CrashFs, manifest: Manifest, confirmed: number) => driverNotes(files, manifest, confirmed, (offset) => offset)

/** What a reader sees may be behind what is decided, but never beyond it, and never behind what was acknowledged. */
async function expectPrefix(
  files: CrashFs,
  records: readonly unknown[],
  { confirmed, manifest }: Pick<Known<number>, 'confirmed' | 'manifest'>,
): Promise<void> {
  const seen = await committedLines(files, path).catch((error: { code?: unknown }) => (error.code === 'ENOENT' ? [] : Promise.reject(error)))
  expect(seen).toEqual(records.slice(0, seen.length))
  expect(seen.length).toBeGreaterThanOrEqual(confirmed)
  expect(seen.length).toBeLessThanOrEqual(manifest.offset)
}

interface Tally {
  images: number
  recoveries: number
}

/** Cuts a run at every place, recovers on what may be left, and cuts the recovery in turn, `depth` times. */
async function cutEverywhere(
  files: CrashFs,
  note: ReturnType<typeof notes>,
  records: readonly unknown[],
  random: Chance,
  depth: number,
  every: number,
  tally: Tally,
): Promise<void> {
  for (let cut = 0; cut <= files.cuts; cut += 1 + Math.floor(random() * every)) {
    const known = note.at(cut)
    const power = files.cutAt(cut)
    for (const survives of choices(power.pieces, random, { allSubsetsMax: 3, eachMax: depth > 1 ? 3 : 1 })) {
      const image = power.image(survives)
      tally.images += 1
      await expectPrefix(image, records, known)
      const again = notes(image, known.manifest, known.confirmed)
      await drive(sinkOn(image), records, { ...known.manifest, epoch: known.manifest.epoch + 5 - depth }, again)
      tally.recoveries += 1
      expect(await committedLines(image, path)).toEqual(records)
      expect(await hiddenParts(image, path)).toEqual([])
      expect(image.openFiles).toBe(0)
      if (depth > 1 && random() < 0.05) await cutEverywhere(image, again, records, random, depth - 1, 6, tally)
    }
  }
}

describe('a power cut at any instant loses and doubles nothing', () => {
  const small = ['a', 'b', 'c', 'd', 'e']
  const large = [1, 2, 3, 4].map((number) => `${number}`.padEnd(70_000, 'x'))
  for (const [what, records, bufferBytesMax, options] of [
    ['when the file system keeps names in any order', small, 8_000_000, { mode: 'posix' }],
    ['when the file system has a journal', small, 8_000_000, { mode: 'ordered', staleByte: 0x41 }],
    ['when transactions are larger than the buffer', large, 100_000, { mode: 'posix', sectorBytes: 65_536 }],
  ] as const)
    it(what, async () => {
      const files = new CrashFs(options)
      const note = notes(files, noManifest, 0)
      await drive(sinkOn(files, bufferBytesMax), records, noManifest, note)
      expect(await committedLines(files, path)).toEqual(records)
      const tally: Tally = { images: 0, recoveries: 0 }
      for (let seed = 1; seed <= 4; seed += 1) await cutEverywhere(files, note, records, chance(seed), 2, 1, tally)
      expect(tally.recoveries).toBeGreaterThan(200)
    })

  it('also when the run was the second one and found an undecided transaction', async () => {
    const files = new CrashFs()
    const first = notes(files, noManifest, 0)
    await drive(sinkOn(files), small.slice(0, 4), noManifest, first)
    // The second manifest never came to be, and its transaction waits under its name: the next run takes it away and writes it again.
    const [, manifest] = first.known.map((known) => known.manifest).filter((found, index, all) => all.indexOf(found) === index)
    const early = files.cutAt(first.known.find((known) => known.manifest.id === 2)?.cut ?? -1).image(() => true)
    expect(await hiddenParts(early, path)).toHaveLength(1)
    const note = notes(early, manifest as Manifest, 2)
    await drive(sinkOn(early), small, manifest as Manifest, note)
    expect(await committedLines(early, path)).toEqual(small)
    await cutEverywhere(early, note, small, chance(2), 1, 1, { images: 0, recoveries: 0 })
  })
})

describe('whatever operation fails, a restart loses and doubles nothing', () => {
  const small = ['a', 'b', 'c', 'd', 'e']
  const large = [1, 2, 3, 4].map((number) => `${number}`.padEnd(70_000, 'x'))
  for (const [what, records, bufferBytesMax] of [
    ['transactions in memory', small, 8_000_000],
    ['transactions larger than the buffer', large, 100_000],
  ] as const)
    for (const code of ['EIO', 'ENOSPC'] as const)
      for (const how of ['once', 'sticky'] as const)
        it(`${code} ${how}, ${what}`, async () => {
          const random = chance(3)
          let failing = 0
          for (let nth = 0; ; nth += 1) {
            const files = new CrashFs({ sectorBytes: 65_536 })
            files.faults = failNth(nth, code, how)
            const note = notes(files, noManifest, 0)
            let epoch = 0
            const attempt = () => drive(sinkOn(files, bufferBytesMax), records, { ...note.last().manifest, epoch }, note)
            const failed = await attempt().then(
              () => false,
              (error: { code?: unknown }) => {
                expect(error).toMatchObject({ code: 'SINK_IO' })
                return true
              },
            )
            const reached = files.calls > nth
            files.faults = undefined
            expect(files.openFiles).toBe(0)
            await expectPrefix(files, records, note.last())
            // What was acknowledged lasts, even when the power is cut before anything else is done.
            for (const survives of choices(files.cutAt(files.cuts).pieces, random, { allSubsetsMax: 3, eachMax: 2 }))
              await expectPrefix(files.cutAt(files.cuts).image(survives), records, note.last())
            if (failed) {
              failing += 1
              epoch = note.last().manifest.epoch + 1
              await attempt()
            }
            expect(await committedLines(files, path)).toEqual(records)
            // A run that died while the sync of its directory failed again and again leaves names that no later sync is sure to cover.
            if (how === 'once')
              for (const survives of choices(files.cutAt(files.cuts).pieces, random, { allSubsetsMax: 3, eachMax: 2 })) {
                const image = files.cutAt(files.cuts).image(survives)
                expect(await committedLines(image, path)).toEqual(records)
                const more = [...records, 'one more']
                await drive(sinkOn(image), more, { ...note.last().manifest, epoch: epoch + 2 }, notes(image, note.last().manifest, 0))
                expect(await committedLines(image, path)).toEqual(more)
              }
            if (!reached) break
          }
          expect(failing).toBeGreaterThan(1)
        })
})
