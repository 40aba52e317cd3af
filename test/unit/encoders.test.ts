import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CsvField, encodeCsv } from '../../backends/directory/rolling/encodeCsv.js'
import { encodeJson } from '../../backends/directory/rolling/encodeJson.js'
import { encodeLines } from '../../backends/directory/rolling/encodeLines.js'

const row = encodeCsv((fields: readonly CsvField[]) => fields)

test('encodeCsv quotes what needs it', () => {
  expect(row([1, 'a', true, null, undefined, 2n, ''], 'out')).toBe('1,a,true,,,2,\n')
  expect(row(['a,b', 'say "hi"', 'two\nlines', 'cr\r'], 'out')).toBe('"a,b","say ""hi""","two\nlines","cr\r"\n')
  expect(encodeCsv((fields: readonly CsvField[]) => fields, { separator: ';' })(['a,b', 'c;d'], 'out')).toBe('a,b;"c;d"\n')
})

/** RFC 4180, read by hand. */
function parsedRow(text: string): string[] {
  const fields: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^,"\n]*))(,|\n)/gy
  for (let found = field.exec(text); found !== null; found = field.exec(text)) {
    fields.push(found[1] === undefined ? (found[2] as string) : found[1].replaceAll('""', '"'))
    if (found[3] === '\n') break
  }
  return fields
}

test('what encodeCsv writes reads back as it was, and is no blank line', () => {
  const field = fc.oneof(fc.string(), fc.constantFrom('', ',', '"', '\n', '\r\n', '""', 'a"b'))
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), (fields) => {
      const text = row(fields, 'out')
      expect(text).not.toBe('\n')
      expect(parsedRow(String(text))).toEqual(fields)
    }),
  )
})

test.each(['', ',,', '"', '\n'])('encodeCsv refuses %j as a separator', (separator) => {
  expect(() => encodeCsv(() => [], { separator })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})

test('encodeJson and encodeLines write a line each', () => {
  expect(encodeJson()({ a: [1, null] }, 'out')).toBe('{"a":[1,null]}\n')
  expect(() => encodeJson()(1n, 'out')).toThrow(
    expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', details: expect.objectContaining({ uid: 'out' }) }),
  )
  expect(encodeLines()('text', 'out')).toBe('text\n')
  expect(encodeLines((value: number) => `<${value}>`)(7, 'out')).toBe('<7>\n')
})
