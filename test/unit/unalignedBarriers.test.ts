import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { codec } from '../../lib/codec.js'
import { emits } from '../../lib/emits.js'
import { operate } from '../../lib/operate.js'
import { valueState } from '../../lib/state/valueState.js'
import { connectKeyed } from '../../operators/connectKeyed.js'
import { union } from '../../operators/union.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { manualClock } from '../support/manualClock.js'

/** Remembers the records that it has seen, and lets them through. */
const seeing = (others: readonly HandFeed[], uid = 'seeing') =>
  operate<unknown, unknown>(
    {
      name: 'seeing',
      uid,
      create: ({ output }) => {
        let seen: unknown[] = []
        return {
          processRecord(value, timestamp, key, input) {
            seen.push(`${input}${String(value)}`)
            output.processRecord(value, timestamp, key)
          },
          snapshotState: () => [...seen] as string[],
          restoreState: (stored) => (seen = stored as string[]),
        }
      },
    },
    others.map(({ stream }) => stream),
  )

type HandRunOptions = NonNullable<ConstructorParameters<typeof HandRun>[0]>

/** A junction of two inputs whose barriers overtake. */
function junction({ from, ...options }: HandRunOptions & { readonly from?: ReturnType<HandRun['complete']> } = {}) {
  const run = new HandRun({ barriers: { unaligned: true }, ...options })
  const [a, b] = [new HandFeed(run), new HandFeed(run)] as const
  const out = noted(seeing([b])(a.stream))
  a.start(false, 'a')
  b.start(false, 'b')
  run.open(from)
  const meta = (id: number): { state: unknown; inFlight?: { elements: unknown } } =>
    run.acknowledged.find((each) => each.id === id)?.snapshot.meta as never
  return { a, b, out, run, meta }
}

describe('a barrier that overtakes', () => {
  test('goes on at the first input, and what the other brings before its own is stored', () => {
    const { a, b, out, run, meta } = junction()
    a.record('a1').barrier(1)
    expect(out.seen).toEqual(['a1', '#1'])
    expect(run.acknowledged).toEqual([])
    a.record('a2')
    b.record('b1', 7, 'key').watermark(5).idle().idle(false).barrier(1).record('b2')
    expect(out.seen.filter((each) => each !== 'idle' && each !== 'active')).toEqual(['a1', '#1', 'a2', 'b1', 'b2'])
    expect(meta(1)).toMatchObject({
      state: ['0a1'],
      inFlight: {
        inputs: ['a', 'b'],
        version: 0,
        elements: [
          [1, 'record', '"b1"', 7, '"key"'],
          [1, 'watermark', 5],
          [1, 'idle', true],
          [1, 'idle', false],
        ],
      },
    })
    expect(run.acknowledged[0]?.snapshot.inFlight).toBe(true)
  })

  test('leaves nothing in flight where all barriers come together', () => {
    const { a, b, meta, run } = junction()
    a.barrier(1)
    b.barrier(1)
    expect(meta(1).inFlight).toBeUndefined()
    expect(run.acknowledged[0]?.snapshot.inFlight).toBeUndefined()
  })

  test('does not store the end of time and of input: they are told again', () => {
    const { a, b, meta } = junction()
    a.barrier(1)
    b.record('b').end().barrier(1)
    expect(meta(1).inFlight?.elements).toEqual([[1, 'record', '"b"', null, null]])
  })

  test('lets what was in flight be processed first after a restore, as it was', () => {
    const before = junction()
    before.a.record('a1').watermark(3).barrier(1)
    before.b.record('b1', 7, 'key').watermark(5)
    before.b.record('b2').barrier(1)
    const from = before.run.complete(1)
    const after = junction({ from })
    expect(after.out.records).toEqual([
      { value: 'b1', timestamp: 7, key: 'key' },
      { value: 'b2', timestamp: undefined, key: undefined },
    ])
    expect(after.out.seen).toEqual(['b1', 'w3', 'b2'])
    after.a.record('a2').barrier(2)
    after.b.barrier(2)
    expect(after.meta(2).state).toEqual(['0a1', '1b1', '1b2', '0a2'])
    expect(after.meta(2).inFlight).toBeUndefined()
  })

  test('lets it be processed before an element that arrives before its turn has come', () => {
    const before = junction()
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    const posted: (() => void)[] = []
    class Posting extends HandRun {
      override post(work: () => void): void {
        posted.push(work)
      }
    }
    const run = new Posting({ barriers: { unaligned: true } })
    const [a, b] = [new HandFeed(run), new HandFeed(run)] as const
    const out = noted(seeing([b])(a.stream))
    a.start(false, 'a')
    b.start(false, 'b')
    run.open(before.run.complete(1))
    expect(out.seen).toEqual([])
    a.record('a1')
    expect(out.seen).toEqual(['b1', 'a1'])
    for (const work of posted) work()
    expect(out.seen).toEqual(['b1', 'a1'])
  })

  test('is stored again when the next barrier comes before it was processed', () => {
    const before = junction()
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    const posted: (() => void)[] = []
    class Posting extends HandRun {
      override post(work: () => void): void {
        posted.push(work)
      }
    }
    const run = new Posting({ barriers: { unaligned: true } })
    const [a, b] = [new HandFeed(run), new HandFeed(run)] as const
    const out = noted(seeing([b])(a.stream))
    a.start(false, 'a')
    b.start(false, 'b')
    run.open(before.run.complete(1))
    a.barrier(2)
    b.barrier(2)
    expect(out.seen).toEqual(['b1', '#2'])
    expect(run.acknowledged[0]?.snapshot.meta).toMatchObject({ state: ['1b1'] })
  })

  test('with a timeout aligns first, and overtakes when the checkpoint has become so old', async () => {
    const clock = manualClock()
    const { a, b, out, meta } = junction({ clock, barriers: { unaligned: true, alignmentTimeoutMs: 100 } })
    a.barrier(1).record('a1')
    b.record('b1')
    expect(out.seen).toEqual(['b1'])
    await clock.advance(99)
    b.record('b2')
    expect(out.seen).toEqual(['b1', 'b2'])
    await clock.advance(1)
    b.record('b3')
    expect(out.seen).toEqual(['b1', 'b2', '#1', 'a1', 'b3'])
    b.barrier(1)
    expect(meta(1)).toMatchObject({ state: ['1b1', '1b2'], inFlight: { elements: [[1, 'record', '"b3"', null, null]] } })
  })

  test('with a timeout that does not pass is aligned', () => {
    const { a, b, out, meta } = junction({ barriers: { unaligned: true, alignmentTimeoutMs: 100 } })
    a.barrier(1).record('a1')
    b.record('b1').barrier(1)
    expect(out.seen).toEqual(['b1', '#1', 'a1'])
    expect(meta(1)).toMatchObject({ state: ['1b1'] })
    expect(meta(1).inFlight).toBeUndefined()
  })

  test('of a checkpoint that is given up changes nothing, and its late barriers stop', () => {
    const { a, b, out, run } = junction()
    a.barrier(1).record('a1')
    b.record('b1')
    run.abort(1 as never, new Error('given up'))
    b.record('b2').barrier(1).record('b3')
    expect(out.seen).toEqual(['#1', 'a1', 'b1', 'b2', 'b3'])
    expect(run.acknowledged).toEqual([])
    a.barrier(2)
    b.barrier(2)
    expect(run.acknowledged.map(({ id }) => id)).toEqual([2])
  })

  test.each(['given up', 'overtaken by the next'])(
    'of a checkpoint that is %s takes no row with it: the next one has what had changed before',
    (how) => {
      const total = (from?: ReturnType<HandRun['complete']>) => {
        const run = new HandRun({ barriers: { unaligned: true } })
        const [a, b] = [new HandFeed(run), new HandFeed(run)] as const
        const added = connectKeyed(
          'total',
          b.stream as never,
          { state: { total: valueState(t.number) }, emits: emits<number>() },
          {
            onFirst(n: number, { state, emit }) {
              const sum = (state.total.value() ?? 0) + n
              state.total.update(sum)
              emit(sum)
            },
            onSecond() {},
          },
        )
        const out = noted(added(a.stream as never))
        a.start(true, 'a')
        b.start(true, 'b')
        run.open(from)
        return { a, b, out, run }
      }
      const { a, b, run } = total()
      a.record(1, undefined, 'k').barrier(1)
      if (how === 'given up') run.abort(1 as never, new Error(how))
      a.barrier(2)
      b.barrier(2)
      const next = total(run.complete(2))
      next.a.record(10, undefined, 'k')
      expect(next.out.seen).toEqual([11])
    },
  )

  test('gives an older one up', () => {
    const { a, b, out, run, meta } = junction()
    a.barrier(1)
    b.record('b1').barrier(2).record('b2')
    a.record('a1').barrier(2)
    expect(out.seen).toEqual(['#1', 'b1', '#2', 'b2', 'a1'])
    expect(run.acknowledged.map(({ id }) => id)).toEqual([2])
    expect(meta(2)).toMatchObject({ state: ['1b1'], inFlight: { elements: [[0, 'record', '"a1"', null, null]] } })
  })

  test('declines the checkpoint for a record that cannot be written, and loses nothing', () => {
    const { a, b, out, run } = junction()
    a.barrier(1)
    b.record(() => 'no data')
    expect(run.declined).toMatchObject([{ id: 1, uid: 'seeing', cause: { code: 'VALUE_NOT_ENCODABLE' } }])
    b.barrier(1).record('b2')
    expect(out.seen.slice(1)).toEqual([expect.any(Function), 'b2'])
    expect(run.acknowledged).toEqual([])
  })

  test('that overtakes too much aborts the checkpoint, and loses nothing', () => {
    const { a, b, out, run } = junction({ limits: { heldElementsMax: 2 } })
    a.barrier(1)
    b.records(1, 2)
    expect(run.aborted).toEqual([])
    b.record(3).barrier(1)
    expect(run.aborted).toMatchObject([{ id: 1, error: { code: 'ALIGNMENT_BUFFER_FULL', details: { operator: 'seeing', heldElementsMax: 2 } } }])
    expect(out.seen).toEqual(['#1', 1, 2, 3])
    expect(run.acknowledged).toEqual([])
  })

  test('stores values by the codec that is given, and knows it again', () => {
    const inFlight = codec({
      version: 2,
      encode: (value: unknown) => ({ wrapped: value }),
      decode: (stored) => (stored as { wrapped: unknown }).wrapped,
    })
    const barriers = { unaligned: true, inFlight }
    const before = junction({ barriers })
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    expect(before.meta(1).inFlight).toMatchObject({ version: 2, elements: [[1, 'record', '{"wrapped":"b1"}', null, null]] })
    const from = before.run.complete(1)
    expect(junction({ from, barriers }).out.seen).toEqual(['b1'])
    expect(() => junction({ from })).toThrow(expect.objectContaining({ code: 'STATE_VERSION_UNSUPPORTED' }))
  })

  test('is restored also where barriers overtake no more', () => {
    const before = junction()
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    expect(junction({ from: before.run.complete(1), barriers: {} }).out.seen).toEqual(['b1'])
  })

  test('is refused at a restore into other inputs, or into none', () => {
    const before = junction()
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    const from = before.run.complete(1)
    const other = (paths: readonly string[]) => () => {
      const run = new HandRun()
      const [first, ...others] = paths.map(() => new HandFeed(run)) as [HandFeed, ...HandFeed[]]
      noted(seeing(others)(first.stream))
      for (const [index, feed] of [first, ...others].entries()) feed.start(false, paths[index] as string)
      run.open(from)
    }
    expect(other(['a', 'b', 'c'])).not.toThrow()
    expect(other(['b', 'a'])).toThrow(expect.objectContaining({ code: 'STATE_UNCLAIMED' }))
    expect(other(['a'])).toThrow(expect.objectContaining({ code: 'STATE_UNCLAIMED' }))
  })

  test('is refused at a restore where it is damaged', () => {
    const damaged = (change: (meta: { inFlight: { elements: unknown[] } }) => void) => () => {
      const before = junction()
      before.a.barrier(1)
      before.b.record('b1').barrier(1)
      const from = before.run.complete(1)
      const meta = JSON.parse(from.metas.get('seeing') as string) as { inFlight: { elements: unknown[] } }
      change(meta)
      junction({ from: { ...from, metas: new Map([['seeing', JSON.stringify(meta)]]) } })
    }
    const corrupt = expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' })
    expect(damaged((meta) => meta.inFlight.elements.push([1, 'barrier', 1]))).toThrow(corrupt)
    expect(damaged((meta) => meta.inFlight.elements.push([1, 'record', 'no text', null, null]))).toThrow(corrupt)
    expect(damaged((meta) => meta.inFlight.elements.push([5, 'watermark', 1]))).toThrow(expect.objectContaining({ code: 'STATE_UNCLAIMED' }))
  })

  test('makes an operator without a uid one that may not be missing', () => {
    const run = new HandRun({ barriers: { unaligned: true } })
    const [a, b] = [new HandFeed(run), new HandFeed(run)] as const
    noted(a.stream.pipe(union(b.stream)))
    a.start(false, 'a')
    b.start(false, 'b')
    run.open()
    a.barrier(1)
    b.record('b1').barrier(1)
    expect(run.acknowledged).toMatchObject([{ uid: 'union', snapshot: { inFlight: true } }])
  })

  test('keeps the order of junctions that follow one another', () => {
    const build = (from?: ReturnType<HandRun['complete']>) => {
      const run = new HandRun({ barriers: { unaligned: true } })
      const [a, b, c] = [new HandFeed(run), new HandFeed(run), new HandFeed(run)] as const
      const out = noted(a.stream.pipe(seeing([b], 'first'), seeing([c], 'second')))
      a.start(false, 'a')
      b.start(false, 'b')
      c.start(false, 'c')
      run.open(from)
      return { run, a, b, c, out }
    }
    const before = build()
    before.a.record('a1')
    before.c.barrier(1)
    before.a.record('a2').barrier(1)
    before.b.record('b1').barrier(1)
    expect(before.out.seen).toEqual(['a1', '#1', 'a2', 'b1'])
    const after = build(before.run.complete(1))
    expect(after.out.seen).toEqual(['a2', 'b1'])
  })

  test('takes an io-ts type for a codec', () => {
    const barriers = { unaligned: true, inFlight: t.string }
    const before = junction({ barriers })
    before.a.barrier(1)
    before.b.record('b1').barrier(1)
    expect(junction({ from: before.run.complete(1), barriers }).out.seen).toEqual(['b1'])
  })
})

describe('barriers that are counted', () => {
  test('hold nothing back: the snapshot is taken at the last', () => {
    const { a, b, out, meta } = junction({ barriers: { mode: 'at-least-once' } })
    a.barrier(1).record('a1')
    b.record('b1').barrier(1)
    expect(out.seen).toEqual(['a1', 'b1', '#1'])
    expect(meta(1).state).toEqual(['0a1', '1b1'])
    expect(meta(1).inFlight).toBeUndefined()
  })

  test('of several checkpoints are counted apart', () => {
    const { a, b, out } = junction({ barriers: { mode: 'at-least-once' } })
    a.barrier(1).barrier(2).barrier(3)
    b.barrier(1).barrier(3)
    expect(out.seen).toEqual(['#1', '#3'])
    a.barrier(4)
    b.barrier(4)
    expect(out.seen).toEqual(['#1', '#3', '#4'])
  })

  test('are not counted for a checkpoint that was given up', () => {
    const { a, b, out, run } = junction({ barriers: { mode: 'at-least-once' } })
    a.barrier(1)
    run.abort(1 as never, new Error('given up'))
    b.barrier(1)
    expect(out.seen).toEqual([])
    a.barrier(2)
    b.barrier(2)
    expect(out.seen).toEqual(['#2'])
  })

  test('are counted for so many checkpoints at a time', () => {
    const { a, b, out } = junction({ barriers: { mode: 'at-least-once' } })
    for (let id = 1; id <= 51; id += 1) a.barrier(id)
    b.barrier(1)
    expect(out.seen).toEqual([])
    b.barrier(2)
    expect(out.seen).toEqual(['#2'])
  })
})
