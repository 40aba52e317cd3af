import { describe, expect, test } from 'vitest'
import { operate } from '../../lib/operate.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'

/** A junction of several inputs, fed by hand. */
function junction(inputs = 2, run = new HandRun(), look: (value: unknown) => void = () => undefined) {
  const feeds = Array.from({ length: inputs }, () => new HandFeed(run))
  const [first, ...others] = feeds as [HandFeed, ...HandFeed[]]
  const out = noted(first.stream.pipe(union(...others.map(({ stream }) => stream)), tapValues(look)))
  for (const [index, feed] of feeds.entries()) feed.start(false, `in${index}`)
  run.open()
  return { a: first, b: others[0] as HandFeed, c: others[1] as HandFeed, out, run }
}

describe('alignment', () => {
  test('the snapshot is taken before what was held back goes on', () => {
    const log: unknown[] = []
    const run = new HandRun()
    const a = new HandFeed(run)
    const b = new HandFeed(run)
    const counting = operate<number, number>(
      {
        name: 'counting',
        uid: 'counting',
        create: ({ output }) => {
          let sum = 0
          return {
            processRecord(n, timestamp, key) {
              sum += n
              output.processRecord(sum, timestamp, key)
            },
            snapshotState() {
              log.push(['snapshot', sum])
              return sum
            },
          }
        },
      },
      [b.stream],
    )
    const out = noted(counting(a.stream))
    a.start()
    b.start()
    run.open()
    a.record(1).barrier(1).record(10)
    b.record(2)
    expect(log).toEqual([])
    b.barrier(1)
    expect(log).toEqual([['snapshot', 3]])
    expect(out.seen).toEqual([1, 3, '#1', 13])
  })

  test('what is held back goes on in the order in which it came, watermarks and later barriers included', () => {
    const { a, b, out } = junction()
    b.watermark(0)
    a.barrier(1).record('x').watermark(5).record('y').barrier(2).record('z').end()
    b.record('b').watermark(9)
    expect(out.seen).toEqual(['b'])
    b.barrier(1)
    expect(out.seen).toEqual(['b', '#1', 'x', 'w5', 'y'])
    b.barrier(2)
    expect(out.seen).toEqual(['b', '#1', 'x', 'w5', 'y', '#2', 'z', 'w9'])
  })

  test('three inputs', () => {
    const { a, b, c, out } = junction(3)
    a.barrier(1).record('a')
    c.barrier(1).record('c')
    b.record('b').barrier(1)
    expect(out.seen).toEqual(['b', '#1', 'a', 'c'])
  })

  test('a newer barrier gives the older one up', () => {
    const { a, b, out } = junction()
    a.barrier(1).record('a1')
    b.record('b1').barrier(2)
    expect(out.seen).toEqual(['b1', 'a1'])
    b.record('b2')
    a.record('a2').barrier(2)
    expect(out.seen).toEqual(['b1', 'a1', 'a2', '#2', 'b2'])
  })

  test('a barrier of a checkpoint that was given up stops here', () => {
    const { a, b, out, run } = junction()
    a.barrier(1).record('a')
    run.abort(1 as never, new Error('given up'))
    expect(out.seen).toEqual(['a'])
    b.barrier(1).record('b')
    expect(out.seen).toEqual(['a', 'b'])
    a.barrier(2)
    b.barrier(2)
    expect(out.seen).toEqual(['a', 'b', '#2'])
  })

  test('a checkpoint that is given up before its first barrier changes nothing', () => {
    const { a, b, out, run } = junction()
    run.abort(1 as never, new Error('given up'))
    a.barrier(1).record('a')
    b.barrier(1).record('b')
    expect(out.seen).toEqual(['a', 'b'])
  })

  test('too much to hold back aborts the checkpoint and drops nothing', () => {
    const { a, b, out, run } = junction(2, new HandRun({ limits: { heldElementsMax: 3 } }))
    a.barrier(1).records(1, 2, 3)
    expect(run.aborted).toEqual([])
    a.records(4, 5)
    expect(run.aborted).toMatchObject([
      { id: 1, error: { code: 'ALIGNMENT_BUFFER_FULL', details: { operator: 'union', checkpointId: 1, heldElementsMax: 3 } } },
    ])
    b.barrier(1).record('b')
    expect(out.seen).toEqual([1, 2, 3, 4, 5, 'b'])
    a.barrier(2)
    b.barrier(2)
    expect(out.seen.at(-1)).toBe('#2')
  })

  test('an input that never starts is told by the limit', () => {
    const run = new HandRun({ limits: { heldElementsMax: 3 } })
    const a = new HandFeed(run)
    const out = noted(a.stream.pipe(union(new HandFeed(run).stream)))
    a.start().records(1, 2, 3, 4)
    expect(out.ending).toMatchObject({
      error: { code: 'ENTRY_QUEUE_FULL', details: expect.objectContaining({ operator: 'union', heldElementsMax: 3 }) },
    })
  })

  test('an element that comes while another is processed waits its turn', () => {
    const log: unknown[] = []
    const run = new HandRun()
    const rig: { b?: HandFeed } = {}
    const made = junction(2, run, (value) => {
      if (value === 'cause') rig.b?.record('effect').barrier(1)
      log.push(value)
    })
    rig.b = made.b
    made.a.record('cause').record('next').barrier(1)
    expect(log).toEqual(['cause', 'effect', 'next'])
    expect(made.out.seen).toEqual(['cause', 'effect', 'next', '#1'])
  })

  test('a feedback that never ends is an error with a code', () => {
    const run = new HandRun({ limits: { entryQueueMax: 5 } })
    const rig: { b?: HandFeed } = {}
    const made = junction(2, run, () => {
      rig.b?.record('again')
      rig.b?.record('again')
    })
    rig.b = made.b
    // What a run does with its error: nobody listens any more.
    run.fail = (error) => {
      run.failures.push(error)
      made.out.subscription.unsubscribe()
    }
    made.a.record('cause')
    expect(run.failures[0]).toMatchObject({ code: 'ENTRY_QUEUE_FULL', details: expect.objectContaining({ operator: 'union', entryQueueMax: 5 }) })
  })

  test('an input that starts twice is an error', () => {
    const { a, run } = junction()
    a.start()
    expect(run.failures).toMatchObject([{ code: 'STREAM_STARTED_TWICE' }])
  })

  test('each input knows its number', () => {
    const run = new HandRun()
    const feeds = [new HandFeed(run), new HandFeed(run)] as const
    const seen: unknown[] = []
    const numbered = operate<string, never>(
      { name: 'numbered', create: () => ({ processRecord: (value, _timestamp, _key, input) => void seen.push([value, input]) }) },
      [feeds[1].stream],
    )
    noted(numbered(feeds[0].stream))
    feeds[0].start().barrier(1).record('a')
    feeds[1].start().record('b').barrier(1)
    expect(seen).toEqual([
      ['b', 1],
      ['a', 0],
    ])
  })
})
