import { concat, interval, Observable, of, throwError } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../../backends/memory/memorySink.js'
import { memorySource } from '../../../backends/memory/memorySource.js'
import { memory } from '../../../backends/memory/memoryStorage.js'
import { collect } from '../../../operators/collect.js'
import { count } from '../../../operators/durable/count.js'
import { take } from '../../../operators/durable/take.js'
import { keyBy } from '../../../operators/keyBy.js'
import { mapValues } from '../../../operators/mapValues.js'
import { records } from '../../../operators/records.js'
import { union } from '../../../operators/union.js'
import { values } from '../../../operators/values.js'
import { begun, continued } from '../../support/continued.js'
import { ran, settled, testJob, watched } from '../../support/jobs.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: take('first', 9),
  one: ['a', ['a']],
  many: [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ],
})

describe('take without keys', () => {
  test('completes behind the last value, and lets go of its source', () => {
    let open = 0
    const source = new Observable<number>((subscriber) => {
      open += 1
      for (let n = 0; n < 10 && !subscriber.closed; n += 1) subscriber.next(n)
      return () => {
        open -= 1
      }
    })
    const seen: unknown[] = []
    source
      .pipe(records(), take('first', 2), mapValues(String), values())
      .subscribe({ next: (value) => seen.push(value), complete: () => seen.push('|') })
    expect(seen).toEqual(['0', '1', '|'])
    expect(open).toBe(0)
  })

  test('of none it completes at once, and its source is not subscribed', async () => {
    let subscribed = 0
    const source = new Observable<number>(() => {
      subscribed += 1
    })
    expect(await collect(source.pipe(records(), take('none', 0)))).toEqual([])
    expect(subscribed).toBe(0)
  })

  test("an error behind the last value is nobody's any more", async () => {
    const source = concat(
      of(1, 2),
      throwError(() => new Error('too late')),
    )
    expect(await collect(source.pipe(records(), take('first', 2)))).toEqual([1, 2])
  })

  test('operators behind it see the end there', () => {
    new TestScheduler((found, expected) => expect(found).toEqual(expected)).run(({ expectObservable }) => {
      expectObservable(interval(2).pipe(records(), take('first', 2), count('all'), values())).toBe('----(a|)', { a: 2 })
    })
  })

  test('a fork of the same stream goes on, also where both meet again', async () => {
    const numbers = of(1, 2, 3).pipe(
      records(),
      mapValues((n) => n * 10),
    )
    expect(await collect(numbers.pipe(take('first', 1), union(numbers)))).toEqual([10, 10, 20, 30])
    expect(await collect(numbers.pipe(union(numbers.pipe(take('none', 0)))))).toEqual([10, 20, 30])
  })

  test('in a job the end goes on there: event time first, then the end, once; barriers pass, and nothing else', () => {
    const fed = begun(take('first', 2))
    fed.watermark(1).record('a', 1).barrier(1).record('b', 2).record('c', 3).watermark(4).idle().barrier(2).end()
    expect(fed.out.seen).toEqual(['w1', 'a', '#1', 'b', 'wInfinity', 'end', '#2'])
    expect(fed.out.ending).toBeUndefined()
    fed.complete()
    expect(fed.out.ending).toBe('complete')
  })

  test('a restored run ends it before the first record', () => {
    const operator = take('first', 1)
    const second = continued(begun(operator).record('a'), operator)
    second.record('b').barrier(2).end()
    expect(second.out.seen).toEqual(['wInfinity', 'end', '#2'])
    const third = continued(second, take('first', 5))
    expect(third.record('c').out.seen).toEqual(['wInfinity', 'end'])
  })

  test('a restored run of a program that takes fewer ends with the next value, which is left out', () => {
    const second = continued(begun(take('first', 5)).records('a', 'b', 'c'), take('first', 2))
    expect(second.record('d').out.seen).toEqual(['wInfinity', 'end'])
  })

  test('a job over an endless source completes with it; run again, it completes again', async () => {
    const input = memorySource([1, 2, 3], { bounded: false })
    const out = memorySink<number>()
    const all = memorySink<number>()
    const { job } = testJob(
      ({ source, sink }) => {
        const first = source('in', input).pipe(take('first', 2))
        return [first.pipe(sink('out', out)), first.pipe(count('all'), sink('number', all))]
      },
      { storage: memory() },
    )
    await ran(job)
    expect([out.committed, all.committed]).toEqual([[1, 2], [2]])
    await ran(job)
    expect([out.committed, all.committed]).toEqual([[1, 2], [2]])
  })

  test('another branch goes on, and its checkpoints pass through the branch that has ended', async () => {
    const input = memorySource([1, 2, 3], { bounded: false })
    const first = memorySink<number>()
    const all = memorySink<number>()
    const { job } = testJob(
      ({ source, sink }) => {
        const numbers = source('in', input)
        return [numbers.pipe(take('first', 1), sink('one', first)), numbers.pipe(sink('all', all))]
      },
      { storage: memory() },
    )
    const run = watched(job)
    await settled()
    await run.checkpoint()
    await settled()
    expect([first.committed, all.committed]).toEqual([[1], [1, 2, 3]])
    await run.stop({ drain: true })
    input.push(4)
    input.end()
    await ran(job)
    expect([first.committed, all.committed]).toEqual([[1], [1, 2, 3, 4]])
  })
})

describe('take with keys', () => {
  test('takes so many of each, and the stream goes on', () => {
    const fed = begun(take('first', 1), true)
    fed.record('a1', 1, 'a').record('a2', 2, 'a').record('b1', 3, 'b')
    expect(fed.out.seen).toEqual(['a1', 'b1'])
    expect(continued(fed, take('first', 1), true).record('a3', 4, 'a').record('c1', 5, 'c').out.seen).toEqual(['c1'])
  })

  test('of a key that has expired so many are taken again', () => {
    const fed = begun(take('first', { ttl: { afterMs: 10, time: 'event' } }, 1), true)
    fed.record(1, 0, 'a').record(2, 1, 'a').watermark(10).record(3, 11, 'a')
    expect(fed.out.records.map(({ value }) => value)).toEqual([1, 3])
  })

  test('none of none', async () => {
    expect(
      await collect(
        of('a', 'b').pipe(
          records(),
          keyBy((word) => word),
          take('none', 0),
        ),
      ),
    ).toEqual([])
  })
})

test('a count that is no whole number is refused', () => {
  for (const count of [Number.NaN, 1.5, undefined as never])
    expect(() => take('first', count)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
