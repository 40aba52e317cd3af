import * as t from 'io-ts'
import { of, share, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { operate } from '../../lib/operate.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { collect } from '../../operators/collect.js'
import { fromSide } from '../../operators/fromSide.js'
import { mapValues } from '../../operators/mapValues.js'
import { records } from '../../operators/records.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const odd = sideOutput<number>('odd')
const other = sideOutput<number>('other')

/** Even numbers go on, odd ones aside. */
const split = (check: (n: number) => void = () => undefined) =>
  operate<number, number>({
    name: 'split',
    sides: [odd] as never,
    create: ({ output, side }) => {
      const aside = side(odd)
      return {
        processRecord(n, timestamp, key) {
          check(n)
          if (n % 2 === 0) output.processRecord(n, timestamp, key)
          else aside.processRecord(n, timestamp, undefined)
        },
      }
    },
  })

operatorCases<number, number>({
  operator: (source) => source.pipe(split(), fromSide(odd)),
  one: [2, []],
  many: [
    [1, 2, 3, 5],
    [1, 3, 5],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      split(() => {
        throw error
      }),
      fromSide(odd),
    ),
})

describe('fromSide', () => {
  test('is a fork: both outputs belong to one run of the operator', () => {
    let machines = 0
    const feed = new HandFeed(new HandRun())
    const counted = operate<number, number>({
      name: 'counted',
      sides: [odd] as never,
      create: ({ output, side }) => {
        machines += 1
        const aside = side(odd)
        return { processRecord: (n, timestamp, key) => (n % 2 === 0 ? output : aside).processRecord(n, timestamp, key) }
      },
    })(feed.stream)
    const main = noted(counted)
    const aside = noted(
      counted.pipe(
        fromSide(odd),
        mapValues((n) => -n),
      ),
    )
    feed.start().records(1, 2).barrier(1).records(3).end().complete()
    expect({ machines, main: main.seen, aside: aside.seen }).toEqual({
      machines: 1,
      main: [2, '#1', 'wInfinity', 'end'],
      aside: [-1, '#1', -3, 'wInfinity', 'end'],
    })
    expect([main.ending, aside.ending]).toEqual(['complete', 'complete'])
  })

  test('has no keys, whatever the stream had from which it comes', () => {
    const feed = new HandFeed(new HandRun())
    const counted = statefulMap('count', { state: t.number, initial: 0 }, (count, _n: number) => [count + 1, count + 1])
    noted(split()(feed.stream).pipe(fromSide(odd), counted as never))
    feed.start(true)
    expect(feed.run.failures).toMatchObject([{ code: 'STREAM_NOT_KEYED', details: { uid: 'count' } }])
  })

  test('the operator goes on while one of its outputs is wanted', () => {
    const feed = new HandFeed(new HandRun())
    const stream = split()(feed.stream)
    const main = noted(stream)
    const aside = noted(stream.pipe(fromSide(odd)))
    feed.start().records(1, 2)
    main.subscription.unsubscribe()
    feed.records(3)
    expect(aside.seen).toEqual([1, 3])
    expect(feed.elements.observed).toBe(true)
    aside.subscription.unsubscribe()
    expect(feed.elements.observed).toBe(false)
  })

  test('outside a job, a side output can be read by itself', async () => {
    expect(await collect(of(1, 2, 3).pipe(records(), split(), fromSide(odd)))).toEqual([1, 3])
  })

  test.each([
    ['a tag that the operator does not emit', () => of(1).pipe(records(), split(), fromSide(other))],
    [
      'an rxjs operator in between',
      () =>
        of(1).pipe(
          records(),
          split(),
          tap(() => undefined),
          fromSide(odd),
        ),
    ],
    ['share in between', () => of(1).pipe(records(), split(), share(), fromSide(odd))],
    [
      'another operator in between',
      () =>
        of(1).pipe(
          records(),
          split(),
          mapValues((n) => n),
          fromSide(odd),
        ),
    ],
    ['a side output of a side output', () => of(1).pipe(records(), split(), fromSide(odd), fromSide(odd))],
  ])('%s is an error when the pipeline is built', (_name, build) => {
    expect(build).toThrow(
      expect.objectContaining({ code: 'SIDE_OUTPUT_UNREACHABLE', name: 'ConfigurationError', hint: expect.stringContaining('fromSide') }),
    )
  })
})
