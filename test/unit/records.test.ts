import { asapScheduler, from, type Observable, observeOn, of, Subject, take } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'
import { schedulerClock } from '../../lib/clock.js'
import type { AnyStream, Stream } from '../../lib/element.js'
import { collect } from '../../operators/collect.js'
import { debounceTime } from '../../operators/durable/debounceTime.js'
import { mapValues } from '../../operators/mapValues.js'
import { records } from '../../operators/records.js'
import { tapValues } from '../../operators/tapValues.js'
import { values } from '../../operators/values.js'
import { noted } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: (source: Stream<number>): AnyStream<number> => source.pipe(values(), records()),
  inside: false,
  one: [4, [4]],
  many: [
    [1, 2, 3],
    [1, 2, 3],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      values(),
      records({
        timestamp: () => {
          throw error
        },
      }),
    ),
})

describe('records', () => {
  test('a bounded input ends with the end of time, then the end of input', () => {
    expect(noted(of('a', 'b').pipe(records())).seen).toEqual(['a', 'b', 'wInfinity', 'end'])
  })

  test('gives records their event time', () => {
    expect(noted(of(5, -5).pipe(records({ timestamp: (at) => at }))).records).toEqual([
      { value: 5, timestamp: 5, key: undefined },
      { value: -5, timestamp: -5, key: undefined },
    ])
  })

  test('lets operators wait by the clock that it is given', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
    scheduler.run(({ cold, expectObservable }) => {
      const typed = cold('     ab-----c---d-|').pipe(records({ clock: schedulerClock(scheduler) }), debounceTime('typed', { dueMs: 3 }), values())
      expectObservable(typed).toBe('----b-----c--(d|)')
    })
  })

  test('take(2) behind a synchronous source takes two, and the source stops', () => {
    let produced = 0
    const endless = function* () {
      for (;;) yield (produced += 1)
    }
    const seen: number[] = []
    let ending = ''
    from(endless())
      .pipe(
        records(),
        mapValues((n) => n * 10),
        values(),
        take(2),
      )
      .subscribe({ next: (n) => seen.push(n), complete: () => (ending = 'complete') })
    expect({ seen, ending, produced }).toEqual({ seen: [10, 20], ending: 'complete', produced: 2 })
  })

  test('a feedback through a Subject waits until its cause has passed every operator', () => {
    const subject = new Subject<number>()
    const first: number[] = []
    const second: number[] = []
    const stream = subject.pipe(
      records(),
      tapValues((n) => {
        first.push(n)
        if (n < 3) subject.next(n + 1)
      }),
      tapValues((n) => second.push(n)),
    )
    const seen: number[] = []
    stream.pipe(values()).subscribe((n) => seen.push(n))
    subject.next(0)
    expect({ first, second, seen }).toEqual({ first: [0, 1, 2, 3], second: [0, 1, 2, 3], seen: [0, 1, 2, 3] })
  })

  test('a feedback from the very end keeps the order as well, and so does one that completes', () => {
    const subject = new Subject<number>()
    const seen: number[] = []
    let completed = false
    subject
      .pipe(
        records(),
        mapValues((n) => n * 10),
        values(),
      )
      .subscribe({
        next: (n) => {
          if (n === 10) {
            subject.next(2)
            subject.next(3)
            subject.complete()
          }
          seen.push(n)
        },
        complete: () => (completed = true),
      })
    subject.next(1)
    expect({ seen, completed }).toEqual({ seen: [10, 20, 30], completed: true })
  })

  test('a feedback that never ends is an error with a code', () => {
    const subject = new Subject<number>()
    let failure: unknown
    subject
      .pipe(
        records(),
        tapValues((n) => {
          subject.next(n)
          subject.next(n)
        }),
        values(),
      )
      .subscribe({ error: (error) => (failure = error) })
    subject.next(1)
    expect(failure).toMatchObject({ code: 'ENTRY_QUEUE_FULL' })
  })

  test('observeOn(asapScheduler) between operators behaves as a chain', async () => {
    const input: Observable<number> = of(1, 2, 3)
    const chain = await collect(
      input.pipe(
        records(),
        mapValues((n) => n + 1),
        mapValues((n) => n * 2),
      ),
    )
    const hops = await collect(
      input.pipe(
        records(),
        mapValues((n) => n + 1),
        observeOn(asapScheduler),
        mapValues((n) => n * 2),
        observeOn(asapScheduler),
      ),
    )
    expect(hops).toEqual(chain)
  })
})
