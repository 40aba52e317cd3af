import { rm, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { option, taskEither } from 'fp-ts'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { jsonLines } from '../../backends/directory/jsonLines.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type SourceLawOptions, sourceLaws } from '../../laws/sourceLaws.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import { temporaryDirectory } from '../support/temporary.js'

/** What JSON text can hold: -0 comes back as 0. */
const records: fc.Arbitrary<unknown> = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))

const inMemory: SourceLawOptions<unknown> = {
  records,
  async make(all) {
    const source = memorySource(all)
    return { source, lose: async () => source.discardBefore(Number.POSITIVE_INFINITY), dispose: async () => undefined }
  },
}

/** Lines with everything between them that is skipped. */
const text = (all: readonly unknown[]): string =>
  all.map((value, index) => `${JSON.stringify(value)}${['\n', '\r\n', '\n\n', '\n \n'][index % 4]}`).join('')

const inModel = (readBytes: number): SourceLawOptions<unknown> => ({
  records,
  async make(all) {
    const files = new CrashFs()
    const file = await files.create('/lines.jsonl')
    await file.write(Buffer.from(text(all)), 0)
    await file.close()
    return {
      source: jsonLines('/lines.jsonl', t.unknown, { files, readBytes }),
      lose: () => files.unlink('/lines.jsonl'),
      dispose: async () => expect(files.openFiles).toBe(0),
    }
  },
})

for (const [name, options] of [
  ['memorySource', inMemory],
  ['jsonLines', inModel(64)],
  ['jsonLines, one byte at a time', inModel(1)],
] as const)
  describe(name, () => {
    for (const law of sourceLaws(options)) it(`${law.name}: ${law.statement}`, () => law.check())
  })

describe('jsonLines on the file system of the machine', () => {
  for (const [loss, lose] of [
    ['removed', rm],
    ['truncated', (path: string) => writeFile(path, '')],
    ['replaced', (path: string) => writeFile(path, `"${'other '.repeat(2_000)}"\n`)],
  ] as const)
    it(`keeps the laws when its file is ${loss}`, async () => {
      const path = `${await temporaryDirectory()}/lines.jsonl`
      const laws = sourceLaws({
        records,
        async make(all) {
          await writeFile(path, text(all))
          return { source: jsonLines(path, t.unknown), lose: () => lose(path), dispose: async () => undefined }
        },
      })
      for (const law of laws) await law.check({ runs: 10 })
    })
})

describe('a source that breaks a law is caught', () => {
  const broken = (change: (source: ReplayableSource<unknown>, opened: number) => ReplayableSource<unknown>): SourceLawOptions<unknown> => ({
    records,
    async make(all) {
      let opened = 0
      const fixture = await inMemory.make(all)
      return { ...fixture, source: { offsets: 'replayable', open: (context) => change(fixture.source, (opened += 1)).open(context) } }
    },
  })
  const withOffset = (
    source: ReplayableSource<unknown>,
    offsetAfter: (index: number, good: (index: number) => number) => number,
  ): ReplayableSource<unknown> => ({
    ...source,
    open: (context) =>
      taskEither.map((reader: Awaited<never> | any) => ({
        ...reader,
        read: (recordsMax: number) =>
          taskEither.map((read: any) =>
            read.kind === 'end'
              ? read
              : { kind: 'batch', batch: { values: read.batch.values, offsetAfter: (index: number) => offsetAfter(index, read.batch.offsetAfter) } },
          )(reader.read(recordsMax)),
      }))(source.open(context)) as any,
  })
  const canaries: readonly (readonly [string, SourceLawOptions<unknown>])[] = [
    ['replay-equivalence', broken((source, opened) => (opened === 1 ? source : memorySource([1, 2, 3])))],
    ['offset-monotone', broken((source) => withOffset(source, (index, good) => Math.floor(good(index) / 3)))],
    ['every-offset-resumes', broken((source) => withOffset(source, (index, good) => good(index) - 1))],
    [
      'gone-is-an-error',
      broken((source) => ({
        ...source,
        open: (context) => taskEither.orElse(() => source.open({ ...context, from: option.none }))(source.open(context)),
      })),
    ],
  ]
  for (const [name, options] of canaries)
    it(`by ${name}`, async () => {
      const law = sourceLaws(options).find((candidate) => candidate.name === name)
      await expect(law?.check({ seed: 1 })).rejects.toThrow(`The law ${name} does not hold`)
    })
})
