import { crc32 as nodeCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ByteLine, ByteLines } from '../../lib/byteLines.js'
import { crc32 } from '../../lib/crc32.js'

/** All lines of some bytes that arrive in pieces. */
function linesOf(lines: ByteLines, pieces: readonly Uint8Array[]): ByteLine[] {
  const found: ByteLine[] = []
  for (const piece of pieces) {
    lines.push(piece)
    for (let line = lines.next(); line !== undefined; line = lines.next()) found.push(line)
  }
  const rest = lines.rest()
  return rest === undefined ? found : [...found, rest]
}

/** Cuts bytes into pieces of these lengths, again and again. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let from = 0, count = 0; from < bytes.length; count += 1) {
    const length = lengths[count % lengths.length] as number
    pieces.push(bytes.subarray(from, from + length))
    from += length
  }
  return pieces
}

const text = fc
  .array(fc.constantFrom('a', 'ä', '€', '😀', '\n', '\r\n', 'to be ', '\uFEFF'), { maxLength: 60, size: 'max' })
  .map((parts) => parts.join(''))
const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })

test('lines are what splitting yields, however the bytes arrive, each with its place and what stands before', () => {
  fc.assert(
    fc.property(text, lengths, (all, sizes) => {
      const bytes = new TextEncoder().encode(all)
      const found = linesOf(new ByteLines({ lineBytesMax: 1_000, tailBytesMax: 8 }), cut(bytes, sizes))
      const expected = all
        .replace(/^\uFEFF/, '')
        .split('\n')
        .map((line) => line.replace(/\r$/, ''))
      if (bytes.length === 0 || all.endsWith('\n')) expected.pop()
      expect(found.map((line) => line.text)).toEqual(expected)
      for (const line of found) expect([...line.before()]).toEqual([...bytes.subarray(Math.max(0, line.end - 8), line.end)])
      expect(found.map(({ position }) => position)).toEqual(found.map((_, index) => found[index - 1]?.end ?? 0))
    }),
  )
})

test('a line over the limit is told once, with its place, and the next ones are whole', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 11, max: 100 }), (sizes, length) => {
      const bytes = new TextEncoder().encode(`ok\n${'x'.repeat(length)}\nafter\n${'y'.repeat(length)}`)
      const found = linesOf(new ByteLines({ lineBytesMax: 10 }), cut(bytes, sizes))
      expect(found.map(({ position, problem }) => [position, problem?.code])).toEqual([
        [0, undefined],
        [3, 'RECORD_TOO_LONG'],
        [3 + length + 1, undefined],
        [3 + length + 7, 'RECORD_TOO_LONG'],
      ])
      expect(found[2]?.text).toBe('after')
    }),
  )
})

test('the checksum is that of zlib', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => crc32(bytes) === nodeCrc32(bytes)))
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
})
