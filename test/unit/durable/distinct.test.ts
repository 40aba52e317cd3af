import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { distinct } from '../../../operators/durable/distinct.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { handFed } from '../../support/handFed.js'
import { HandRun } from '../../support/handRun.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: distinct('seen'),
  one: ['a', ['a']],
  many: [
    ['a', 'b', 'a', 'c', 'b'],
    ['a', 'b', 'c'],
  ],
  throwing: (error) =>
    distinct('seen', () => {
      throw error
    }),
})

describe('distinct', () => {
  test('NaN is itself, and -0 is 0, as in a Set; dates and arrays are what they say', async () => {
    expect(await collect(of(Number.NaN, Number.NaN, 0, -0).pipe(records(), distinct('seen')))).toEqual([Number.NaN, 0])
    expect(await collect(of(['a', 1], ['a', 1]).pipe(records(), distinct('seen')))).toEqual([['a', 1]])
  })

  test('values are told apart within a key', async () => {
    const byLength = distinct('length', (word: string) => word.length)
    expect(
      await collect(
        of('a', 'ab', 'b', 'ac').pipe(
          records(),
          keyBy((word) => word.charAt(0)),
          byLength,
        ),
      ),
    ).toEqual(['a', 'ab', 'b'])
  })

  test('what is no key is refused', async () => {
    await expect(
      collect(
        of({}).pipe(
          records(),
          distinct('seen', (value) => value as never),
        ),
      ),
    ).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })

  test('what was seen is remembered after a restore, NaN too', () => {
    const operator = distinct<number>('seen')
    const second = continued(begun(operator).records(Number.NaN, 1), operator)
    expect(second.records(1, Number.NaN, 2).out.seen).toEqual([2])
  })

  test('with a ttl values that came once do not pile up, and are let through anew', async () => {
    const run = new HandRun({ limits: { rowsMax: 3 } })
    const fed = handFed(distinct('seen', { ttl: { afterMs: 10 } }), run).start()
    run.open()
    for (let at = 0; at < 50; at += 1) {
      fed.record(at % 20)
      await run.clock.advance(5)
    }
    expect(fed.out.ending).toBeUndefined()
    expect(fed.out.records).toHaveLength(50)
  })

  test('the end of time is no time at which something expires: a job that was drained still knows what it saw', () => {
    const operator = distinct('seen', { ttl: { afterMs: 10, time: 'event' } })
    const first = begun(operator)
    first.record('a', 1).watermark(5).end(true)
    expect(continued(first, operator).record('a', 6).watermark(11).record('a', 12).out.seen).toEqual(['w11', 'a'])
  })

  test('without one, more than limits.rowsMax is an error', () => {
    const run = new HandRun({ limits: { rowsMax: 3 } })
    const fed = handFed(distinct('seen'), run).start()
    run.open()
    fed.records(1, 2, 3, 1, 4)
    expect(run.failures).toEqual([expect.objectContaining({ code: 'STATE_FULL' })])
  })

  test('refreshed by reads, a value that keeps coming is not let through again', async () => {
    const run = new HandRun()
    const fed = handFed(distinct('seen', { ttl: { afterMs: 10, refresh: 'onReadAndWrite' } }), run).start()
    run.open()
    for (let time = 0; time < 5; time += 1) {
      fed.record('a')
      await run.clock.advance(9)
    }
    await run.clock.advance(1)
    expect(fed.record('a').out.seen).toEqual(['a', 'a'])
  })
})
