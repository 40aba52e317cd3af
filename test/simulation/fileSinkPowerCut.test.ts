import { describe, expect, it } from 'vitest'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import type { FileSinkOptions } from '../../backends/directory/rolling/fileSinkSettings.js'
import { CrashFs, type CrashFsOptions } from '../../laws/crashFs.js'
import { type Chance, chance, choices } from '../../laws/crashFsChoices.js'
import { failNth } from '../../laws/crashFsError.js'
import { driverNotes, type Known, type Notes } from '../support/driverNotes.js'
import { finishedValues, stagedParts } from '../support/fileSinkTree.js'
import { drive, type Manifest, noManifest } from '../support/sinkDriver.js'

const path = '/data/out'
const buckets = ['even', 'odd/er'] as const
const bucketOf = (value: unknown): string => buckets[Number.parseInt(String(value), 10) % 2] as string

type Settings = Pick<FileSinkOptions<unknown>, 'rolling' | 'bufferBytesMax' | 'gzip'>
const sinkOn = (files: CrashFs, settings: Settings) => fileSink<unknown>(path, { ...settings, files, bucket: bucketOf })

/** The finished parts, by path: what is acknowledged of them has to last. */
type Seen = ReadonlySet<string>
const seenIn = (files: CrashFs): Seen => new Set([...files.contents().keys()].filter((name) => /\/part-[^/]+$/.test(name)))
const notes = (files: CrashFs, manifest: Manifest, confirmed: Seen = new Set()): Notes<Seen> =>
  driverNotes(files, manifest, confirmed, () => seenIn(files))

const small = ['0', '1', '2', '4', '7']
const large = [1, 2, 4].map((number) => `${number}`.padEnd(70_000, 'x'))

const expectedIn = (bucket: string, records: readonly unknown[]): readonly unknown[] => records.filter((record) => bucketOf(record) === bucket)

/** In each bucket a reader sees the beginning of what belongs there: nothing undecided, and all that was acknowledged. */
async function expectPrefixes(files: CrashFs, records: readonly unknown[], { confirmed, manifest }: Pick<Known<Seen>, 'confirmed' | 'manifest'>) {
  const decided = records.slice(0, manifest.offset)
  for (const bucket of buckets) {
    const seen = await finishedValues(files, path, [bucket])
    expect(seen).toEqual(expectedIn(bucket, decided).slice(0, seen.length))
  }
  const now = seenIn(files)
  for (const name of confirmed) expect(now).toContain(name)
}

async function expectAll(files: CrashFs, records: readonly unknown[]) {
  for (const bucket of buckets) expect(await finishedValues(files, path, [bucket])).toEqual(expectedIn(bucket, records))
  expect(await stagedParts(files, path)).toEqual([])
  expect(files.openFiles).toBe(0)
}

interface Attempt {
  readonly records: readonly unknown[]
  readonly settings: Settings
  readonly random: Chance
}

/** Cuts a run at every place, recovers on what may be left, and cuts the recovery in turn, `depth` times. Answers the recoveries. */
async function cutEverywhere(files: CrashFs, note: Notes<Seen>, attempt: Attempt, depth: number, every: number): Promise<number> {
  const { records, settings, random } = attempt
  let recoveries = 0
  for (let cut = Math.floor(random() * every); cut <= files.cuts; cut += 1 + Math.floor(random() * every)) {
    const known = note.at(cut)
    const power = files.cutAt(cut)
    for (const survives of choices(power.pieces, random, { allSubsetsMax: 2, eachMax: depth > 1 ? 2 : 1 })) {
      const image = power.image(survives)
      await expectPrefixes(image, records, known)
      const again = notes(image, known.manifest, known.confirmed)
      await drive(sinkOn(image, settings), records, { ...known.manifest, epoch: known.manifest.epoch + 5 - depth }, again)
      recoveries += 1
      await expectAll(image, records)
      if (depth > 1 && random() < 0.05) recoveries += await cutEverywhere(image, again, attempt, depth - 1, 8)
    }
  }
  return recoveries
}

/** Parts that end by size within a checkpoint and some checkpoints later, only with the input, and with each checkpoint. */
const policies: readonly (readonly [string, Settings])[] = [
  ['parts that end by size', { rolling: { sizeMax: 8 } }],
  ['parts that go on to the end', {}],
  ['compressed parts that go on', { gzip: true }],
  ['parts that end with each checkpoint', { rolling: { onCheckpoint: true } }],
]

describe('a power cut at any instant loses and doubles nothing', () => {
  const disks: readonly (readonly [string, readonly unknown[], Settings, CrashFsOptions])[] = [
    ...policies.map(([name, settings]) => [`${name}, names in any order`, small, settings, { mode: 'posix' }] as const),
    ['parts that end by size, on a disk with a journal', small, { rolling: { sizeMax: 8 } }, { mode: 'ordered', staleByte: 0x41 }],
    ['parts larger than the buffer', large, { bufferBytesMax: 60_000, rolling: { sizeMax: 100_000 } }, { mode: 'posix', sectorBytes: 65_536 }],
  ]
  for (const [what, records, settings, options] of disks)
    it(what, async () => {
      const files = new CrashFs(options)
      const note = notes(files, noManifest)
      await drive(sinkOn(files, settings), records, noManifest, note)
      await expectAll(files, records)
      const recoveries = await cutEverywhere(files, note, { records, settings, random: chance(1) }, 2, records === large ? 3 : 2)
      expect(recoveries).toBeGreaterThan(50)
    })
})

describe('whatever operation fails, a restart loses and doubles nothing', () => {
  for (const [what, records, settings] of [
    ...policies.map(([name, settings]) => [name, small, settings] as const),
    ['parts larger than the buffer', large, { bufferBytesMax: 60_000, rolling: { sizeMax: 100_000 } }] as const,
  ])
    for (const [code, how] of [
      ['EIO', 'once'],
      ['ENOSPC', 'sticky'],
    ] as const)
      it(`${code} ${how}, ${what}`, async () => {
        const random = chance(3)
        let failing = 0
        for (let nth = 0; ; nth += 1) {
          const files = new CrashFs({ sectorBytes: 65_536 })
          let syncs = false
          const fails = failNth(nth, code, how)
          files.faults = (call) => {
            if (call.number === nth) syncs = call.name === 'syncDirectory'
            return fails(call)
          }
          const note = notes(files, noManifest)
          let epoch = 0
          const attempt = () => drive(sinkOn(files, settings), records, { ...note.last().manifest, epoch }, note)
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
          await expectPrefixes(files, records, note.last())
          // What was acknowledged lasts, even when the power is cut before anything else is done.
          for (const survives of choices(files.cutAt(files.cuts).pieces, random, { allSubsetsMax: 2, eachMax: 1 }))
            await expectPrefixes(files.cutAt(files.cuts).image(survives), records, note.last())
          if (failed) {
            failing += 1
            epoch = note.last().manifest.epoch + 1
            await attempt()
          }
          for (const bucket of buckets) expect(await finishedValues(files, path, [bucket])).toEqual(expectedIn(bucket, records))
          if (how === 'once')
            for (const survives of choices(files.cutAt(files.cuts).pieces, random, { allSubsetsMax: 2, eachMax: 1 })) {
              const image = files.cutAt(files.cuts).image(survives)
              const more = [...records, '8', '9']
              await drive(sinkOn(image, settings), more, { ...note.last().manifest, epoch: epoch + 2 }, notes(image, note.last().manifest))
              await expectAll(image, more)
            }
          // Names that a failed sync was to cover do not come to last by a later one.
          if (how === 'once' && syncs && records === small) await cutEverywhere(files, note, { records, settings, random }, 1, 30)
          if (!reached) break
        }
        expect(failing).toBeGreaterThan(1)
      })
})
