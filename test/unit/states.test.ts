import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { aggregatingState } from '../../lib/state/aggregatingState.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { reducingState } from '../../lib/state/reducingState.js'
import type { Ttl } from '../../lib/state/ttl.js'
import { valueState } from '../../lib/state/valueState.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { type FedStream, handFed } from '../support/handFed.js'
import { type HandCheckpoint, HandRun } from '../support/handRun.js'

type Command = 'read' | 'add' | 'clear' | 'skip'

/** Each kind of state: adds what it is told, and shows all it has. */
const kinds = {
  value: (ttl?: Ttl) =>
    processKeyed(
      'kept',
      { state: { kept: valueState(t.number, ttl && { ttl }) }, emits: emits<unknown>() },
      {
        onRecord: ([command, n]: [Command, number], { state: { kept }, emit }) => {
          if (command === 'add') kept.update(n)
          else if (command === 'clear') kept.clear()
          else if (command === 'read') emit(kept.value())
        },
      },
    ),
  list: (ttl?: Ttl) =>
    processKeyed(
      'kept',
      { state: { kept: listState(t.number, ttl && { ttl }) }, emits: emits<unknown>() },
      {
        onRecord: ([command, n]: [Command, number], { state: { kept }, emit }) => {
          if (command === 'add') kept.add(n)
          else if (command === 'clear') kept.clear()
          else if (command === 'read') emit([...kept].join())
        },
      },
    ),
  map: (ttl?: Ttl) =>
    processKeyed(
      'kept',
      { state: { kept: mapState(t.string, t.number, ttl && { ttl }) }, emits: emits<unknown>() },
      {
        onRecord: ([command, n]: [Command, number], { state: { kept }, emit }) => {
          if (command === 'add') kept.put(`of ${n}`, n)
          else if (command === 'clear') kept.clear()
          else if (command === 'read') emit([...kept.values()].join())
        },
      },
    ),
  reducing: (ttl?: Ttl) =>
    processKeyed(
      'kept',
      { state: { kept: reducingState(t.number, (a, b) => a + b, ttl && { ttl }) }, emits: emits<unknown>() },
      {
        onRecord: ([command, n]: [Command, number], { state: { kept }, emit }) => {
          if (command === 'add') kept.add(n)
          else if (command === 'clear') kept.clear()
          else if (command === 'read') emit(kept.get())
        },
      },
    ),
  aggregating: (ttl?: Ttl) =>
    processKeyed(
      'kept',
      {
        state: {
          kept: aggregatingState(
            t.array(t.number),
            { create: (): number[] => [], add: (all, n: number) => [...all, n], result: (all) => all.join() },
            ttl && { ttl },
          ),
        },
        emits: emits<unknown>(),
      },
      {
        onRecord: ([command, n]: [Command, number], { state: { kept }, emit }) => {
          if (command === 'add') kept.add(n)
          else if (command === 'clear') kept.clear()
          else if (command === 'read') emit(kept.get())
        },
      },
    ),
} as const
type Kind = keyof typeof kinds

function fed(kind: Kind, ttl?: Ttl, from?: HandCheckpoint, run = new HandRun()) {
  const feed = handFed((source: FedStream) => kinds[kind](ttl)(source as never), run).start(true)
  run.open(from)
  const tell = (command: Command, n = 0, key = 'k', at?: number) => {
    feed.record([command, n], at, key)
    return feed.out.seen.at(-1)
  }
  /** How many rows the operator has written or removed since the barrier before, and the checkpoint. */
  const checkpoint = (id: number) => {
    feed.barrier(id)
    const changed = run.acknowledged.filter((each) => each.id === id).flatMap(({ snapshot }) => snapshot.tables.map(({ rows }) => rows))
    return { changed: changed.reduce((a, b) => a + b, 0), kept: run.complete(id) }
  }
  return { feed, run, tell, checkpoint }
}

/** What is there before anything, after 1, and after 1 and 2. */
const shows: [Kind, unknown, unknown, unknown][] = [
  ['value', undefined, 1, 2],
  ['list', '', '1', '1,2'],
  ['map', '', '1', '1,2'],
  ['reducing', undefined, 1, 3],
  ['aggregating', undefined, '1', '1,2'],
]

describe.each(shows)('%s state', (kind, empty, one, both) => {
  test('belongs to a key, until it is cleared', () => {
    const { tell } = fed(kind)
    expect(tell('read')).toEqual(empty)
    tell('add', 1)
    expect(tell('read')).toEqual(one)
    tell('add', 2)
    expect(tell('read')).toEqual(both)
    expect(tell('read', 0, 'other')).toEqual(empty)
    tell('clear')
    expect(tell('read')).toEqual(empty)
    tell('add', 1)
    expect(tell('read')).toEqual(one)
  })

  test('is there after two restores in a row, also where nothing touched it between them; what was cleared is not', () => {
    const first = fed(kind)
    first.tell('add', 1, 'kept')
    first.tell('add', 1, 'cleared')
    const begun = first.checkpoint(1).kept
    const second = fed(kind, undefined, begun)
    second.tell('clear', 0, 'cleared')
    const { kept, changed } = second.checkpoint(2)
    expect(changed).toBe(1)
    const third = fed(kind, undefined, { metas: kept.metas, chunks: [...begun.chunks, ...kept.chunks] })
    expect([third.tell('read', 0, 'kept'), third.tell('read', 0, 'cleared')]).toEqual([one, empty])
    third.tell('add', 2, 'kept')
    expect(third.tell('read', 0, 'kept')).toEqual(both)
  })

  test('expires when so much time has passed since it was written, and not one millisecond before', async () => {
    const { tell, run } = fed(kind, { afterMs: 100 })
    tell('add', 1)
    await run.clock.advance(99)
    expect(tell('read')).toEqual(one)
    await run.clock.advance(1)
    expect(tell('read')).toEqual(empty)
  })

  test('with refresh onReadAndWrite reading lets it live on', async () => {
    const { tell, run } = fed(kind, { afterMs: 100, refresh: 'onReadAndWrite' })
    tell('add', 1)
    await run.clock.advance(60)
    expect(tell('read')).toEqual(one)
    await run.clock.advance(60)
    expect(tell('read')).toEqual(one)
    await run.clock.advance(100)
    expect(tell('read')).toEqual(empty)
  })

  test('with expired untilRemoved it is read a last time', async () => {
    const { tell, run } = fed(kind, { afterMs: 100, expired: 'untilRemoved', cleanup: 'onRead' })
    tell('add', 1)
    await run.clock.advance(500)
    expect(tell('read')).toEqual(one)
    expect(tell('read')).toEqual(empty)
  })

  test('expires by event time, whatever the clock says', async () => {
    const { tell, feed, run } = fed(kind, { afterMs: 100, time: 'event' })
    tell('add', 1, 'k', 1_000)
    await run.clock.advance(10_000)
    feed.watermark(1_099)
    expect(tell('read', 0, 'k', 1_000)).toEqual(one)
    feed.watermark(1_100)
    expect(tell('read', 0, 'k', 1_000)).toEqual(empty)
  })

  test('with the index a key that never comes again is freed; with onRead it stays', async () => {
    const freed = async (cleanup: 'index' | 'onRead') => {
      const { tell, run, checkpoint } = fed(kind, { afterMs: 100, cleanup })
      tell('add', 1)
      checkpoint(1)
      await run.clock.advance(200)
      return checkpoint(2).changed
    }
    expect([await freed('index'), await freed('onRead')]).toEqual([1, 0])
  })

  test('with rowsPerAccess an access to one key frees others', async () => {
    const { tell, run, checkpoint } = fed(kind, { afterMs: 100, cleanup: { rowsPerAccess: 2 } })
    for (const key of ['a', 'b', 'c']) tell('add', 1, key)
    await run.clock.advance(200)
    tell('add', 1, 'k')
    checkpoint(1)
    for (let times = 0; times < 4; times += 1) tell('read', 0, 'k')
    expect(checkpoint(2).changed).toBe(3)
  })

  test('its time to live goes on after a restore', async () => {
    const first = fed(kind, { afterMs: 100 })
    first.tell('add', 1)
    await first.run.clock.advance(60)
    const run = new HandRun()
    await run.clock.advance(99)
    const second = fed(kind, { afterMs: 100 }, first.checkpoint(1).kept, run)
    expect(second.tell('read')).toEqual(one)
    await run.clock.advance(1)
    expect(second.tell('read')).toEqual(empty)
  })
})
