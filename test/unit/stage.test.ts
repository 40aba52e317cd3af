import * as t from 'io-ts'
import { connectable, of, Subject, share, take } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'
import { schedulerClock } from '../../lib/clock.js'
import { countRecords, tumbling } from '../../lib/index.js'
import { operate } from '../../lib/operate.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { records } from '../../operators/records.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { values } from '../../operators/values.js'
import { window } from '../../operators/window.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'

describe('in the TestScheduler of rxjs', () => {
  const scheduler = (): TestScheduler => new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  const count = () => statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word}${n + 1}`])

  test('a local pipeline answers in the frame in which it was asked: no microtask in between', () => {
    scheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b--(aa)--|   ')
      const expected = '     -a-b--(cd)--|   '
      const counted = source.pipe(
        records(),
        keyBy((word) => word),
        count(),
        values(),
      )
      expectObservable(counted).toBe(expected, { a: 'a1', b: 'b1', c: 'a2', d: 'a3' })
      expectSubscriptions(source.subscriptions).toBe('^-----------!')
    })
  })

  test('windows of marbles, an error, and an early end', () => {
    scheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const counts = window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() })
      const timed = assignTimestamps({ timestamp: Number, watermarks: monotonousTimestamps() })
      const source = cold('  -a-b-c--#', { a: '1', b: '9', c: '10' })
      const windows = source.pipe(
        records(),
        timed,
        keyBy(() => 'all'),
        counts,
        values(),
      )
      expectObservable(windows).toBe('-----n--#', { n: 2 })
      expectObservable(windows.pipe(take(1))).toBe('-----(n|)', { n: 2 })
      expectSubscriptions(source.subscriptions).toBe(['^-------!', '^----!'])
    })
  })

  test('its clock is the clock of a run', () => {
    const test = scheduler()
    const clock = schedulerClock(test)
    const log: number[] = []
    test.run(({ flush }) => {
      clock.callAt(5, () => log.push(clock.nowMs()))
      clock.callAt(3, () => log.push(clock.nowMs()))
      const cancel = clock.callAt(4, () => log.push(-1))
      cancel()
      cancel()
      flush()
    })
    expect(log).toEqual([3, 5])
  })
})

describe('a stage', () => {
  const counted = (made: { machines: number; closed: number }) =>
    operate<number, number>({
      name: 'counted',
      create: ({ output }) => {
        made.machines += 1
        return {
          processRecord: (n, timestamp, key) => output.processRecord(n, timestamp, key),
          close() {
            made.closed += 1
          },
        }
      },
    })

  test('has one machine for all who subscribe before the stream starts', () => {
    const made = { machines: 0, closed: 0 }
    const feed = new HandFeed(new HandRun())
    const stream = counted(made)(feed.stream)
    const [first, second] = [noted(stream), noted(stream.pipe(mapValues((n) => -n)))]
    feed.start().records(1, 2).barrier(1).end().complete()
    expect(made).toEqual({ machines: 1, closed: 1 })
    expect([first.seen, second.seen]).toEqual([
      [1, 2, '#1', 'wInfinity', 'end'],
      [-1, -2, '#1', 'wInfinity', 'end'],
    ])
  })

  test('in a job, one who comes later is refused, and those before go on', () => {
    const feed = new HandFeed(new HandRun())
    const stream = counted({ machines: 0, closed: 0 })(feed.stream)
    const first = noted(stream)
    feed.start().record(1)
    expect(noted(stream).ending).toMatchObject({ error: { code: 'SUBSCRIBED_AGAIN' } })
    feed.record(2)
    expect(first.seen).toEqual([1, 2])
  })

  test('outside a job each has a run of its own, also with share', () => {
    const made = { machines: 0, closed: 0 }
    const stream = of(1, 2).pipe(records(), counted(made))
    const seen: unknown[] = []
    for (const _time of [1, 2]) stream.pipe(values()).subscribe((n) => seen.push(n))
    expect({ seen, made }).toEqual({ seen: [1, 2, 1, 2], made: { machines: 2, closed: 2 } })
    const shared = connectable(of(1, 2).pipe(records(), counted(made)))
    shared.pipe(values()).subscribe((n) => seen.push(n))
    shared.pipe(values()).subscribe((n) => seen.push(n))
    shared.connect()
    expect(made).toEqual({ machines: 3, closed: 3 })
    expect(seen.slice(4)).toEqual([1, 1, 2, 2])
  })

  test('closes its machine once, however its stream ends', () => {
    for (const end of ['complete', 'error', 'unsubscribe'] as const) {
      const made = { machines: 0, closed: 0 }
      const subject = new Subject<number>()
      const subscription = subject.pipe(records(), counted(made), share(), values()).subscribe({ error: () => undefined })
      subject.next(1)
      if (end === 'unsubscribe') subscription.unsubscribe()
      else if (end === 'error') subject.error(new Error('mine'))
      else subject.complete()
      subscription.unsubscribe()
      expect(made, end).toEqual({ machines: 1, closed: 1 })
      expect(subject.observed).toBe(false)
    }
  })

  test('an operator that throws as it is made is the error of the stream', () => {
    const mine = new Error('mine')
    const failing = operate<number, number>({
      name: 'failing',
      create: () => {
        throw mine
      },
    })
    let failure: unknown
    of(1)
      .pipe(records(), failing, values())
      .subscribe({ error: (error) => (failure = error) })
    expect(failure).toBe(mine)
  })

  test('a snapshot that cannot be taken declines the checkpoint; the barrier goes on', () => {
    const mine = new Error('mine')
    const feed = new HandFeed(new HandRun())
    const failing = operate<number, number>({
      name: 'failing',
      uid: 'failing',
      create: ({ output }) => ({
        processRecord: (n, timestamp, key) => output.processRecord(n, timestamp, key),
        snapshotState() {
          throw mine
        },
      }),
    })
    const out = noted(failing(feed.stream))
    feed.start().record(1).barrier(1).record(2)
    expect(out.seen).toEqual([1, '#1', 2])
    expect(feed.run.declined).toEqual([{ id: 1, uid: 'failing', cause: mine }])
  })

  test('capture, forward, acknowledge: in this order', () => {
    const log: string[] = []
    const feed = new HandFeed(new HandRun())
    const stored = operate<number, number>({
      name: 'stored',
      uid: 'stored',
      create: ({ output }) => ({
        processRecord: (n, timestamp, key) => output.processRecord(n, timestamp, key),
        snapshotState() {
          log.push('capture')
          return null
        },
      }),
    })
    stored(feed.stream).subscribe((element) => {
      if ((element as unknown as { kind: string }).kind === 'barrier') log.push('forward')
    })
    feed.run.acknowledge = () => log.push('acknowledge')
    feed.start().barrier(1)
    expect(log).toEqual(['capture', 'forward', 'acknowledge'])
  })
})
