import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { csvParser } from '../../backends/directory/reading/csvParser.js'
import { csvRowEnds } from '../../backends/directory/reading/csvRows.js'
import { type DecodeCsvOptions, decodeCsv } from '../../backends/directory/reading/decodeCsv.js'
import { decodeJson } from '../../backends/directory/reading/decodeJson.js'
import { decodeLines } from '../../backends/directory/reading/decodeLines.js'
import { type FileSourceOptions, fileSource } from '../../backends/directory/reading/fileSource.js'
import type { CodecOf } from '../../lib/codec.js'
import type { DeadLetter } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { failureOf, openedReader, readAll } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

const deadLetters = sideOutput<DeadLetter>('bad')

interface Reading extends DecodeCsvOptions, FileSourceOptions {
  readonly codec?: CodecOf<unknown>
}

async function pathOf(content: string | Uint8Array): Promise<string> {
  const path = `${await temporaryDirectory()}/rows.csv`
  await writeFile(path, content)
  return path
}

const csv = (path: string, { codec = t.unknown, columns = 'none', delimiter, quote, ...options }: Reading = {}) =>
  fileSource(
    path,
    decodeCsv(codec, { columns, ...(delimiter === undefined ? {} : { delimiter }), ...(quote === undefined ? {} : { quote }) }),
    options,
  )

const rowsOf = async (content: string, reading?: Reading): Promise<unknown[]> => (await readAll(csv(await pathOf(content), reading))).values

async function lettersOf(
  content: string | Uint8Array,
  reading: Reading = {},
): Promise<{ values: unknown[]; letters: (readonly [number, string, string])[] }> {
  const reader = await openedReader(csv(await pathOf(content), { deadLetters, ...reading }))
  const values: unknown[] = []
  const letters: (readonly [number, string, string])[] = []
  for (;;) {
    const read = await unwrap(reader.read(2))
    if (read.kind === 'end') return { values, letters }
    for (const [index, value] of read.batch.values.entries()) {
      const letter = read.batch.malformed?.get(index)
      if (letter === undefined) values.push(value)
      else letters.push([(letter.offset as { readonly position: number }).position, letter.text, letter.reason])
    }
  }
}

test('a row is an object of the columns that the header names', async () => {
  const codec = t.type({ name: t.string, age: t.string })
  expect(await rowsOf('\ufeff"name",age\r\n\r\nada,36\n"Grace ""Amazing"" Hopper",85', { columns: 'header', codec })).toEqual([
    { name: 'ada', age: '36' },
    { name: 'Grace "Amazing" Hopper', age: '85' },
  ])
  expect(await rowsOf('name,age\n', { columns: 'header', codec })).toEqual([])
  expect(await rowsOf('name,age', { columns: 'header', codec })).toEqual([])
  expect(await rowsOf('', { columns: 'header', codec })).toEqual([])
})

test('columns are named by the caller, or rows are arrays', async () => {
  expect(await rowsOf('ada,36\n', { columns: ['name', 'age'] })).toEqual([{ name: 'ada', age: '36' }])
  expect(await rowsOf('ada,36\n\ngrace\n')).toEqual([['ada', '36'], ['grace']])
})

test('a quoted field may have delimiters, quotes and newlines', async () => {
  const content = '"a,b","c\nd\r\ne","""f"""\r\n"é\n😀",,""\n'
  for (let readBytes = 1; readBytes < 30; readBytes += 1)
    expect(await rowsOf(content, { readBytes })).toEqual([
      ['a,b', 'c\nd\r\ne', '"f"'],
      ['é\n😀', '', ''],
    ])
})

test('delimiter and quote are what they are said to be', async () => {
  expect(await rowsOf("a;'b;''c'\nd\t;\"e\"\n", { delimiter: ';', quote: "'" })).toEqual([
    ['a', "b;'c"],
    ['d\t', '"e"'],
  ])
})

test('a malformed row is refused alone', async () => {
  const content = 'a,b\n1,5" wide\n"x"y,2\n3\n"4\n4","four"z\n5,6\n'
  expect(await lettersOf(content, { columns: 'header' })).toEqual({
    values: [{ a: '5', b: '6' }],
    letters: [
      [4, '1,5" wide', 'a quote within a field that does not begin with one'],
      [14, '"x"y,2', 'text behind a closing quote'],
      [21, '3', 'expected 2 fields, found 1'],
      [23, '"4', 'text behind a closing quote'],
      [26, '4","four"z', 'a quote within a field that does not begin with one'],
    ],
  })
  const bytes = Buffer.concat([Buffer.from('ok,1\n'), Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from('fine,2\n')])
  expect(await lettersOf(bytes)).toMatchObject({
    values: [
      ['ok', '1'],
      ['fine', '2'],
    ],
    letters: [[5, expect.anything(), 'no UTF-8']],
  })
  expect((await lettersOf('1\n2\n', { columns: ['n'], codec: t.type({ n: t.literal('1') }) })).letters).toEqual([
    [2, '2', expect.stringContaining('n')],
  ])
})

test('of a row whose quote is never closed the first line is refused, and reading goes on behind it', async () => {
  const content = 'a,1\n"open,2\nb,3\nc,"4\n4"\n'
  for (const readBytes of [1, 5, 1_000])
    expect(await lettersOf(content, { readBytes })).toEqual({
      values: [
        ['a', '1'],
        ['b', '3'],
        ['c', '4\n4'],
      ],
      letters: [[4, '"open,2', 'text behind a closing quote']],
    })
  expect(await lettersOf('"open\na\nb\n')).toEqual({ values: [['a'], ['b']], letters: [[0, '"open', 'a quote is not closed']] })
  expect((await lettersOf('a\n"open')).letters).toEqual([[2, '"open', 'a quote is not closed']])
})

test('a row over the limit loses its first line, however much is read at once', async () => {
  const content = `"${'x'.repeat(5)}\n${'y'.repeat(8)}\nz"\n"${'w'.repeat(30)}"\nok\n`
  for (const readBytes of [1, 4, 11, 64, 1_000])
    expect(await lettersOf(content, { readBytes, recordBytesMax: 12 })).toEqual({
      values: [['y'.repeat(8)], ['ok']],
      letters: [
        [0, '"xxxxx', 'longer than 12 bytes'],
        [16, 'z"', 'a quote within a field that does not begin with one'],
        [19, expect.stringMatching(/^"w{12,30}"?$/), 'longer than 12 bytes'],
      ],
    })
})

test('a header that cannot be used ends the run, dead letters or not', async () => {
  for (const [content, reason] of [
    ['a,b,a\n1,2,3\n', 'the header: two columns have one name'],
    ['a,__proto__\n', 'the header: a column has a name that no property can have'],
    ['a,b"\n', 'the header: a quote within a field that does not begin with one'],
  ] as const) {
    const reader = await openedReader(csv(await pathOf(content), { columns: 'header', deadLetters }))
    expect(await failureOf(reader.read(1))).toMatchObject({ code: 'RECORD_MALFORMED', details: { position: 0, reason } })
  }
  const reader = await openedReader(csv(await pathOf(`${'a'.repeat(99)}\n1\n`), { columns: 'header', recordBytesMax: 9, readBytes: 5, deadLetters }))
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'RECORD_TOO_LONG' })
})

test('each file has a header of its own, which a restore reads again', async () => {
  const folder = await temporaryDirectory()
  await writeFile(`${folder}/1.csv`, 'a,b\n1,2\n3,4\n')
  await writeFile(`${folder}/2.csv.gz`, gzipSync('b,a\n6,5\n8,7\n'))
  for (const readBytes of [3, 1_000]) {
    const source = csv(`${folder}/*.csv*`, { columns: 'header', readBytes })
    const { values, offsets } = await readAll(source)
    const expected = [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { a: '5', b: '6' },
      { a: '7', b: '8' },
    ]
    expect(values).toEqual(expected)
    for (const [index, offset] of offsets.entries()) expect((await readAll(source, offset)).values).toEqual(expected.slice(index + 1))
  }
})

test('the ends of rows are where the parser sees them', () => {
  const letters = fc.constantFrom('a', '"', ',', '\n', '\r', '"', '\n')
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 30 }), (text) => {
      const bytes = Buffer.from(`${text}\n`)
      const ends = csvRowEnds(bytes, 0, 44, 34)
      const options = { record_delimiter: ['\n', '\r\n'], relax_column_count: true, skip_empty_lines: true }
      const rows = (part: Uint8Array): string[][] => parse(Buffer.from(part), options) as unknown as string[][]
      let whole: string[][]
      try {
        whole = rows(bytes)
      } catch {
        return
      }
      const starts = [0, ...ends.map((end) => end + 1)]
      expect(ends.flatMap((end, index) => rows(bytes.subarray(starts[index], end + 1)))).toEqual(whole)
      expect(starts.at(-1)).toBe(bytes.length)
    }),
    { numRuns: 500 },
  )
})

test('without csv-parse a source of CSV does not open', async () => {
  await expect(csvParser(() => Promise.reject(new Error('not found')))).rejects.toMatchObject({
    code: 'PACKAGE_MISSING',
    details: { package: 'csv-parse' },
  })
})

test('options out of their range are refused', () => {
  for (const options of [
    { delimiter: '' },
    { delimiter: ',,' },
    { delimiter: '\n' },
    { quote: 'é' },
    { quote: ',' },
    { columns: ['a', 'a'] },
    { columns: [] },
  ])
    expect(() => decodeCsv(t.unknown, options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})

test('lines are records as they are, or what a codec makes of them; lines of JSON skip blank ones', async () => {
  const path = await pathOf('1\n\n 2 \r\n')
  expect((await readAll(fileSource(path, decodeLines()))).values).toEqual(['1', '', ' 2 '])
  expect((await readAll(fileSource(path, decodeJson(t.number)))).values).toEqual([1, 2])
  const reader = await openedReader(fileSource(path, decodeLines(t.literal('1'))))
  await unwrap(reader.read(10))
  expect(await failureOf(reader.read(10))).toMatchObject({ code: 'RECORD_MALFORMED', details: { position: 2 } })
  const text = await openedReader(fileSource(await pathOf('{\n"2"\n'), decodeJson(t.number), { deadLetters }))
  const read = await unwrap(text.read(10))
  if (read.kind === 'end') throw new Error('expected a batch')
  expect([...(read.batch.malformed?.values() ?? [])].map(({ reason }) => reason)).toEqual(['no JSON', expect.stringContaining('number')])
})
