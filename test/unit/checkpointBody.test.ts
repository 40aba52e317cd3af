import { describe, expect, test } from 'vitest'
import { bodyOf, byName, readBody } from '../../lib/checkpointBody.js'
import type { Json } from '../../lib/json.js'

const written = (): Json =>
  JSON.parse(
    JSON.stringify(
      bodyOf({
        maxParallelism: 128,
        sources: byName([
          ['__proto__', { offset: 5, finished: false }],
          ['in', { offset: { line: 3, parts: [1, null] }, finished: true }],
        ]),
        operators: byName([['constructor', { derived: true, meta: { time: ['none', 4, false] } }]]),
        sinks: byName([['out', [{ checkpointId: 1, epoch: 2, handle: 'h' }]]]),
      }),
    ),
  ) as Json

describe('the body of a checkpoint', () => {
  test('is read as it was written, under any name', () => {
    const { sources, operators, sinks, maxParallelism } = readBody(written())
    expect(maxParallelism).toBe(128)
    expect(Object.entries(sources)).toEqual([
      ['__proto__', { offset: 5, finished: false }],
      ['in', { offset: { line: 3, parts: [1, null] }, finished: true }],
    ])
    expect(operators['constructor']).toEqual({ derived: true, meta: { time: ['none', 4, false] } })
    expect(sinks['out']).toEqual([{ checkpointId: 1, epoch: 2, handle: 'h' }])
  })

  test('knows no names but its own', () => {
    const { sources, operators, sinks } = readBody(written())
    expect([sources['toString'], operators['hasOwnProperty'], sinks['constructor']]).toEqual([undefined, undefined, undefined])
  })

  test.each<readonly [string, (body: { [name: string]: unknown }) => unknown]>([
    ['no object', () => 'body'],
    ['null', () => null],
    ['no format', ({ format: _format, ...rest }) => rest],
    ['an older format that never was', (body) => ({ ...body, format: 0 })],
    ['a source without an end', (body) => ({ ...body, sources: { in: { offset: 1 } } })],
    ['an operator that is a text', (body) => ({ ...body, operators: { op: 'meta' } })],
    ['sinks in a list', (body) => ({ ...body, sinks: [] })],
    ['a transaction without a handle', (body) => ({ ...body, sinks: { out: [{ checkpointId: 1, epoch: 1 }] } })],
  ])('%s is SNAPSHOT_CORRUPT', (_name, change) => {
    expect(() => readBody(change(written() as { [name: string]: unknown }) as Json)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  })

  test('one of a newer release is refused by name', () => {
    expect(() => readBody({ ...(written() as object), format: 3 } as Json)).toThrow(
      expect.objectContaining({ code: 'FORMAT_NEWER', details: expect.objectContaining({ found: 3, supported: 2 }) }),
    )
  })

  test('says so where records are in flight, and is otherwise what it always was', () => {
    const parts = { maxParallelism: 1, sources: {}, operators: {}, sinks: {} }
    expect((bodyOf(parts) as { format: number }).format).toBe(1)
    expect((bodyOf(parts, { inFlight: true }) as { format: number }).format).toBe(2)
    expect(readBody(bodyOf(parts, { inFlight: true })).maxParallelism).toBe(1)
  })
})
