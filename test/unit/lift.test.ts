import { concatMap, delay, distinctUntilChanged, endWith, filter, finalize, map, mergeMap, scan, startWith, take, tap, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { lift } from '../../operators/lift.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, string>({
  operator: lift(
    map((n: number) => n * 10),
    filter((n) => n > 10),
    map(String),
  ),
  one: [1, []],
  many: [
    [1, 2, 3],
    ['20', '30'],
  ],
  throwing: (error) =>
    lift(
      map(() => {
        throw error
      }),
    ),
})

operatorCases<number, number>({
  operator: lift(mergeMap((n: number) => [n, n])),
  one: [1, [1, 1]],
  many: [
    [1, 2],
    [1, 1, 2, 2],
  ],
})

describe('lift', () => {
  test('what comes out keeps the key and the event time of what went in', () => {
    const fed = handFed(lift(concatMap((n: number) => (n > 0 ? [n, -n] : [])))).start(true)
    fed.record(1, 10, 'a').record(-1, 20, 'b').record(2, 30, 'c')
    expect(fed.out.records).toEqual([
      { value: 1, timestamp: 10, key: 'a' },
      { value: -1, timestamp: 10, key: 'a' },
      { value: 2, timestamp: 30, key: 'c' },
      { value: -2, timestamp: 30, key: 'c' },
    ])
  })

  test.each([
    ['take', take<number>(1)],
    ['endWith at the end of take', (source: never) => (source as never as import('rxjs').Observable<number>).pipe(take(1), endWith(0))],
  ])('%s, which ends its stream, is refused', (_name, operator) => {
    const fed = handFed(lift(operator as never)).start()
    fed.record(1)
    expect(fed.run.failures).toMatchObject([{ code: 'LIFT_COMPLETED' }])
  })

  test('an operator that emits later is refused', async () => {
    const fed = handFed(lift(delay(0))).start()
    fed.record(1)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(fed.run.failures).toMatchObject([{ code: 'LIFT_ASYNCHRONOUS' }])
  })

  test('so is one that emits at the end', () => {
    const fed = handFed(lift(toArray())).start()
    fed.records(1, 2).end()
    expect(fed.run.failures).toMatchObject([{ code: 'LIFT_ASYNCHRONOUS' }])
  })

  test('and one that emits at the beginning', () => {
    const fed = handFed(lift(startWith(0))).start()
    expect(fed.run.failures).toMatchObject([{ code: 'LIFT_ASYNCHRONOUS' }])
  })

  test('each run has lifted operators of its own, and tears them down', () => {
    let torn = 0
    const operator = lift(
      scan((sum: number, n: number) => sum + n, 0),
      distinctUntilChanged(),
      tap(),
      finalize(() => (torn += 1)),
    )
    for (const _run of [1, 2]) {
      const fed = handFed(operator).start()
      fed.records(1, 2).end().complete()
      expect(fed.out.records.map(({ value }) => value)).toEqual([1, 3])
    }
    expect(torn).toBe(2)
  })
})
