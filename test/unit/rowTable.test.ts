import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codec, json, stateCodec } from '../../lib/codec.js'
import type { OperatorUid } from '../../lib/identity.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import { readCells } from '../../lib/state/cells.js'
import { freezeDeep } from '../../lib/state/freeze.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import type { RowCapture } from '../../lib/state/rowStore.js'
import { RowTable } from '../../lib/state/rowTable.js'

type Scope = ConstructorParameters<typeof RowTable>[1]
const scope: Scope = { uid: 'op', rowsMax: 1_000, maxParallelism: 128, tracked: true, development: false }
const table = <S>({
  state = 'state',
  of = json<S>(),
  ...options
}: Partial<Scope> & { state?: string; of?: ReturnType<typeof json<S>>; namespaced?: boolean } = {}) =>
  new RowTable<S>(
    { table: 'rows', state, codec: stateCodec(of), ...(options.namespaced === undefined ? {} : { namespaced: options.namespaced }) },
    { ...scope, ...options },
  )

function chunkOf(capture: RowCapture, step = 1): RowChunk {
  const frames = new RowFrames(16)
  while (capture.encode(frames, step));
  return { uid: 'op' as OperatorUid, table: 'rows', rows: frames.rows, bytes: frames.take() }
}

const contents = <S>(of: RowTable<S>): readonly (readonly [unknown, S])[] =>
  [...of.rows()].map((row) => [row.namespace === undefined ? row.key : [row.key, row.namespace], row.value] as const)

/** Writes a value for a key, or deletes it. */
const put = (into: RowTable<unknown>, key: number, value: unknown): void => {
  const row = into.get(key)
  if (row === undefined) {
    if (value !== undefined) into.create(key, undefined, value)
  } else if (value === undefined) into.remove(row)
  else into.write(row, value)
}

describe('a table of rows', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key: fc.nat(4), value: fc.option(fc.nat(9), { nil: undefined }) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'capture' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('encode' as const), which: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'release' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('giveBack' as const), which: fc.nat(2) }) },
  )

  test.each([1, 3])(
    'what captures yield, applied in order, is the table as it was at the last barrier that became durable, whatever happened meanwhile: %i at a time',
    (most) => {
      const fixed = [{ kind: 'giveBack' as const, which: 0 }, { kind: 'capture' as const }, { kind: 'release' as const }]
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.boolean(), (steps, development) => {
          const live = table<unknown>({ development })
          const durable: RowChunk[] = []
          /** Oldest first: each is the difference to the one before it. */
          const open: { readonly capture: RowCapture; readonly frames: RowFrames; readonly atBarrier: string; done: boolean }[] = []
          const sorted = (of: RowTable<unknown>): string => JSON.stringify([...contents(of)].sort((a, b) => Number(a[0]) - Number(b[0])))
          const encode = (each: (typeof open)[number]): void => {
            if (!each.done) each.done = !each.capture.encode(each.frames, 1)
          }
          for (const each of [...steps, ...fixed]) {
            if (each.kind === 'put') put(live, each.key, each.value)
            else if (each.kind === 'capture') {
              if (open.length === most) continue
              const capture = live.capture()
              open.push({ capture, frames: new RowFrames(16), atBarrier: sorted(live), done: capture.rows === 0 })
            } else if (each.kind === 'encode') {
              const one = open[each.which]
              if (one !== undefined) encode(one)
            } else if (each.kind === 'giveBack') {
              // Whoever gives one back gives back all that build on it.
              for (const { capture } of open.splice(Math.min(each.which, open.length)).reverse()) capture.giveBack()
            } else {
              const oldest = open.shift()
              if (oldest === undefined) continue
              while (!oldest.done) encode(oldest)
              durable.push({ uid: 'op' as OperatorUid, table: 'rows', rows: oldest.frames.rows, bytes: oldest.frames.take() })
              oldest.capture.release()
              const restored = table<unknown>()
              restored.restoreMeta(live.meta())
              for (const chunk of durable) restored.restore(chunk)
              expect(sorted(restored)).toBe(oldest.atBarrier)
            }
          }
        }),
        { numRuns: 500 },
      )
    },
  )

  test('a capture takes what changed since the last one, and nothing else', () => {
    const live = table<number>()
    for (let key = 0; key < 100; key += 1) live.create(key, undefined, 0)
    const first = live.capture()
    expect(first.rows).toBe(100)
    chunkOf(first)
    first.release()
    live.write(live.get(5) as never, 1)
    live.write(live.get(5) as never, 2)
    live.remove(live.get(7) as never)
    const second = live.capture()
    expect(second.rows).toBe(2)
    const frames = new RowFrames()
    while (second.encode(frames, 10));
    const deleted: boolean[] = []
    readRows(frames.take(), (_key, value) => deleted.push(value === undefined))
    expect(deleted).toEqual([false, true])
  })

  test('rows that come and go between two captures are in none of them, and the others keep their order', () => {
    const live = table<number>()
    const kept = [3, 140, 141, 399]
    for (let key = 0; key < 400; key += 1) live.create(key, undefined, key)
    for (let key = 0; key < 400; key += 1) if (!kept.includes(key)) live.remove(live.get(key) as never)
    const first = live.capture()
    expect(first.rows).toBe(kept.length)
    const restored = table<number>()
    restored.restoreMeta(live.meta())
    restored.restore(chunkOf(first))
    expect(contents(restored)).toEqual(kept.map((key) => [key, key]))
    first.release()
    live.remove(live.get(3) as never)
    live.create(3, undefined, 4)
    live.remove(live.get(3) as never)
    const second = live.capture()
    expect(second.rows).toBe(1)
    restored.restore(chunkOf(second))
    expect(contents(restored)).toEqual(contents(live))
  })

  test('a deletion that was given back is written, also when a row came after it and went', () => {
    const live = table<number>()
    const restored = table<number>()
    restored.restoreMeta(live.meta())
    live.create(1, undefined, 1)
    const first = live.capture()
    restored.restore(chunkOf(first))
    first.release()
    live.remove(live.get(1) as never)
    const aborted = live.capture()
    live.create(1, undefined, 2)
    aborted.giveBack()
    live.remove(live.get(1) as never)
    restored.restore(chunkOf(live.capture()))
    expect(contents(restored)).toEqual([])
  })

  test('a row that changes behind each of three barriers is in each capture as it was there, in whatever order they are encoded', () => {
    const live = table<number>()
    const row = live.create(1, undefined, 0)
    const captures = [1, 2, 3].map((value) => {
      live.write(row, value)
      return live.capture()
    })
    live.write(row, 4)
    const values = [2, 0, 1].map((at) => {
      const restored = table<number>()
      restored.restoreMeta(live.meta())
      restored.restore(chunkOf(captures[at] as RowCapture))
      return restored.get(1)?.value
    })
    expect(values).toEqual([3, 1, 2])
  })

  test('a capture that ends twice is a mistake of ours', () => {
    const capture = table<number>().capture()
    capture.release()
    expect(() => capture.release()).toThrow('This is a bug in rxweir')
  })

  test('rows of one key and several namespaces come and go one by one', () => {
    const live = table<string>({ namespaced: true })
    const rows = [1, 2, 3].map((namespace) => live.create('k', namespace, `v${namespace}`))
    expect(live.find('k', 2)?.value).toBe('v2')
    live.remove(rows[1] as never)
    expect(live.find('k', 2)).toBeUndefined()
    expect(live.find('k', 1)?.value).toBe('v1')
    expect(live.find('k', 3)?.value).toBe('v3')
    live.remove(rows[2] as never)
    live.remove(rows[0] as never)
    expect(live.size).toBe(0)
    expect(live.get('k')).toBeUndefined()
  })

  test('a namespaced table restores keys and namespaces', () => {
    const live = table<string>({ namespaced: true })
    live.create(['a', 1], 10, 'x')
    live.create(['a', 1], 20, 'y')
    const restored = table<string>({ namespaced: true })
    restored.restore(chunkOf(live.capture()))
    expect(new Set(contents(restored).map((each) => JSON.stringify(each)))).toEqual(new Set(['[[["a",1],10],"x"]', '[[["a",1],20],"y"]']))
    const plain = table<string>()
    plain.create('a', undefined, 'x')
    expect(() => restored.restore(chunkOf(plain.capture()))).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  })

  test('more rows than the limit are an error, and rows that go make room', () => {
    const live = table<number>({ rowsMax: 2 })
    live.create(1, undefined, 1)
    const second = live.create(2, undefined, 1)
    expect(() => live.create(3, undefined, 1)).toThrow(expect.objectContaining({ code: 'STATE_FULL', details: { uid: 'op', rowsMax: 2 } }))
    live.remove(second)
    live.create(3, undefined, 1)
    expect(live.size).toBe(2)
  })

  test('cells of a state that the program does not declare are kept as bytes, through changes and deletions', () => {
    const before = table<string>({ state: 'before' })
    before.create('k', undefined, 'kept')
    before.create('gone', undefined, 'kept too')
    const first = chunkOf(before.capture())
    const now = table<number>({ state: 'now' })
    now.restoreMeta(before.meta())
    now.restore(first)
    expect(now.size).toBe(0)
    now.create('k', undefined, 1)
    const row = now.create('gone', undefined, 2)
    now.remove(row)
    const second = chunkOf(now.capture())
    const again = table<string>({ state: 'before' })
    again.restoreMeta(now.meta())
    again.restore(first)
    again.restore(second)
    expect([...contents(again)].sort()).toEqual([
      ['gone', 'kept too'],
      ['k', 'kept'],
    ])
  })

  describe('in development', () => {
    test('plain values are frozen where they are written', () => {
      const live = table<{ list: number[] }>({ development: true })
      const row = live.create('k', undefined, { list: [1] })
      expect(() => row.value.list.push(2)).toThrow(TypeError)
      live.write(row, { list: [2] })
      expect(() => row.value.list.push(3)).toThrow(TypeError)
    })

    test.each<readonly [string, unknown, (value: never) => void]>([
      ['a Map', new Map([['a', 1]]), (value: Map<string, number>) => value.set('b', 2)],
      ['a Set', new Set([1]), (value: Set<number>) => value.add(2)],
      ['a Date', new Date(5), (value: Date) => value.setTime(6)],
      ['bytes', new Uint8Array([1]), (value: Uint8Array) => value.fill(2)],
      ['a Map inside', { map: new Map() }, ({ map }: { map: Map<string, number> }) => map.set('b', 2)],
    ])('%s that is changed in place after the barrier is STATE_MUTATED', (_name, value, change) => {
      const live = table<unknown>({ development: true })
      live.create('k', undefined, value)
      const capture = live.capture()
      change(value as never)
      expect(() => chunkOf(capture)).toThrow(expect.objectContaining({ code: 'STATE_MUTATED', details: { uid: 'op', state: 'state' } }))
    })

    test('a new value after the barrier is none of that', () => {
      const live = table<unknown>({ development: true })
      const row = live.create('k', undefined, new Map([['a', 1]]))
      const capture = live.capture()
      live.write(row, new Map([['a', 2]]))
      live.remove(row)
      const restored = table<unknown>()
      restored.restore(chunkOf(capture))
      expect(contents(restored)).toEqual([['k', new Map([['a', 1]])]])
    })

    test('freezing leaves alone what it cannot freeze, and knows cycles', () => {
      const cycle: { self?: unknown; bytes: Uint8Array; map: Map<string, number> } = { bytes: new Uint8Array(3), map: new Map() }
      cycle.self = cycle
      freezeDeep(cycle)
      expect(Object.isFrozen(cycle)).toBe(true)
      cycle.bytes.fill(1)
      cycle.map.set('a', 1)
      class Own {
        n = 1
      }
      const own = new Own()
      freezeDeep({ own })
      own.n = 2
      expect(own.n).toBe(2)
    })
  })

  test('a codec of the user that fails to decode names who and what', () => {
    const live = table<number>()
    live.create('k', undefined, 1)
    const chunk = chunkOf(live.capture())
    const mine = new Error('mine')
    const other = table<number>({
      of: codec<number>({
        encode: (n) => n,
        decode: () => {
          throw mine
        },
      }) as never,
    })
    expect(() => other.restore(chunk)).toThrow(
      expect.objectContaining({ code: 'CODEC_MISMATCH', details: expect.objectContaining({ uid: 'op', state: 'state' }) }),
    )
  })
})

describe('frames', () => {
  test('rows are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }))), (rows) => {
        const frames = new RowFrames(4)
        for (const [key, value] of rows) frames.add(key, value)
        expect(frames.rows).toBe(rows.length)
        const read: (readonly [Uint8Array, Uint8Array | undefined])[] = []
        readRows(frames.take(), (key, value) => read.push([key.slice(), value?.slice()]))
        expect(read).toEqual(rows)
        expect({ rows: frames.rows, bytes: frames.byteLength }).toEqual({ rows: 0, bytes: 0 })
      }),
    )
  })

  test('cells are read as they were written, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.nat(300),
        fc.integer({ min: 1, max: 70_000 }),
        fc.nat(65_535),
        fc.option(fc.double({ noNaN: true }), { nil: undefined }),
        (text, state, version, group, touchedMs) => {
          const frames = new RowFrames(1)
          frames.addCell(group, text, state, version, touchedMs, text, undefined)
          frames.addDeletion(group, text)
          const read: unknown[] = []
          const utf8 = new TextDecoder()
          const expected = new TextDecoder().decode(new TextEncoder().encode(text))
          readRows(frames.take(), (key, value) => {
            expect(((key[0] as number) << 8) | (key[1] as number)).toBe(group)
            expect(utf8.decode(key.subarray(2))).toBe(expected)
            if (value === undefined) read.push('deleted')
            else
              readCells(
                value,
                (cell) => void read.push([cell.state, cell.version, cell.touchedMs, utf8.decode(cell.text), cell.bytes.length === value.length]),
              )
          })
          expect(read).toEqual([[state, version, touchedMs, expected, true], 'deleted'])
        },
      ),
    )
  })

  test('bytes that were cut short are refused, never read beyond their end', () => {
    const frames = new RowFrames()
    frames.addCell(1, '"key"', 0, 1, 5, '"value"', undefined)
    const bytes = frames.take()
    for (let length = 1; length < bytes.length; length += 1)
      expect(() => readRows(bytes.subarray(0, length), (_key, value) => value && readCells(value, () => undefined)), `cut at ${length}`).toThrow(
        expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }),
      )
    let cell: Uint8Array = new Uint8Array()
    readRows(bytes, (_key, value) => {
      cell = (value as Uint8Array).slice()
    })
    for (let length = 1; length < cell.length; length += 1)
      expect(() => readCells(cell.subarray(0, length), () => undefined)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  })

  test('a length without end is refused', () => {
    expect(() => readRows(new Uint8Array(20).fill(255), () => undefined)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
    expect(() => readCells(new Uint8Array(20).fill(255), () => undefined)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  })

  test('a cell with flags of a later format is refused by name', () => {
    expect(() => readCells(new Uint8Array([0, 2, 1, 0]), () => undefined)).toThrow(expect.objectContaining({ code: 'FORMAT_NEWER' }))
  })
})
