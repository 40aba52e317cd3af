import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { decodeCsv } from '../../backends/directory/reading/decodeCsv.js'
import { decodeJson } from '../../backends/directory/reading/decodeJson.js'
import { decodeLines } from '../../backends/directory/reading/decodeLines.js'
import { type FileSourceOptions, fileSource } from '../../backends/directory/reading/fileSource.js'
import type { RecordFormat } from '../../backends/directory/reading/recordFormat.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type SourceLawOptions, sourceLaws } from '../../laws/sourceLaws.js'

interface Layout<T> extends Omit<FileSourceOptions, 'files'> {
  readonly records: fc.Arbitrary<T>
  readonly format: RecordFormat<T>
  /** What a file with these records holds. */
  text(records: readonly T[]): string
  /** The names of files, from the oldest to the newest. */
  readonly names: readonly string[]
}

/** Spreads records over files in a model of a file system; some files are empty, and others do not belong to them. */
const inFiles = <T>({ records, format, text, names, ...options }: Layout<T>): SourceLawOptions<T> => ({
  records,
  async make(all) {
    const files = new CrashFs()
    const paths = names.map((name) => `/logs/${name}`)
    await files.makeDirectory('/logs/inner.log')
    for (const [index, path] of [...paths, '/logs/other.txt'].entries()) {
      const part = all.slice(Math.floor((index * all.length) / names.length), Math.floor(((index + 1) * all.length) / names.length))
      const content = Buffer.from(index === names.length ? 'not a record' : text(part))
      const file = await files.create(path)
      await file.write(path.endsWith('.gz') ? gzipSync(content) : content, 0)
      await file.close()
    }
    return {
      source: fileSource('/logs/*log*', format, { ...options, files }),
      async lose() {
        for (const path of paths) await files.unlink(path)
      },
      dispose: async () => expect(files.openFiles).toBe(0),
    }
  },
})

const lines = fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n\ufeff]/g, ' '))
const asLines: Pick<Layout<string>, 'records' | 'format' | 'text'> = {
  records: lines,
  format: decodeLines(),
  text: (all) => all.map((line, index) => `${line}${index % 2 === 0 ? '\n' : '\r\n'}`).join(''),
}
const asJson: Pick<Layout<unknown>, 'records' | 'format' | 'text'> = {
  records: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  format: decodeJson(t.unknown),
  text: (all) => all.map((value, index) => `${JSON.stringify(value)}${['\n', '\r\n', '\n\n'][index % 3]}`).join(''),
}
const field = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' ', '\t') }), fc.string())
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const asCsv = {
  records: fc.record({ name: field, said: field }).map(({ name, said }) => ({ name, said: `${said}.` })),
  format: decodeCsv(t.type({ name: t.string, said: t.string })),
  text: (all: readonly { name: string; said: string }[]) =>
    `\ufeffname,said\r\n\n${all.map(({ name, said }) => `${quoted(name)},${quoted(said)}\n`).join('\r\n')}`,
}

for (const [name, options] of [
  ['lines by name', inFiles({ ...asLines, names: ['a-1.log', 'a-2.log', 'a-10.log', 'a-11.log'], readBytes: 64 })],
  ['lines by name, one byte at a time', inFiles({ ...asLines, names: ['1.log', '2.log'], readBytes: 1 })],
  ['compressed lines', inFiles({ ...asLines, names: ['app.log.3.gz', 'app.log.2.gz', 'app.log.1', 'app.log'], order: 'numbered', readBytes: 16 })],
  ['JSON by date', inFiles({ ...asJson, names: ['a.log-20251231.gz', 'a.log-20260101', 'a.log-20260101-2', 'a.log'], order: 'dated' })],
  ['CSV with a header in each file', inFiles({ ...asCsv, names: ['log.10', 'log.9', 'log'], order: 'numbered' })],
  ['CSV, a few bytes at a time', inFiles({ ...asCsv, names: ['1.log.gz', '2.log'], readBytes: 3 })],
] as readonly (readonly [string, SourceLawOptions<unknown>])[])
  describe(`fileSource over ${name}`, () => {
    for (const law of sourceLaws(options)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 40 }))
  })
