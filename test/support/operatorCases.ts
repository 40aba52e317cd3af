import { concat, EMPTY, NEVER, Observable, of, take, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { AnyStream, Stream } from '../../lib/element.js'
import { collect } from '../../operators/collect.js'
import { records } from '../../operators/records.js'
import { values } from '../../operators/values.js'
import { handFed } from './handFed.js'
import { HandRun } from './handRun.js'

export interface OperatorCases<T, R> {
  /** The operator, with what it needs before it. */
  readonly operator: (source: Stream<T>) => AnyStream<R>
  /** One value, and what comes of it. */
  readonly one: readonly [T, readonly R[]]
  /** What comes of no value at all; nothing unless told. */
  readonly none?: readonly R[]
  /** Several, and what comes of them. At least one result comes before the end of the input, unless `onlyAtEnd`. */
  readonly many: readonly [readonly T[], readonly R[]]
  /** Results come when the input ends: nobody can have had enough of them before. */
  readonly onlyAtEnd?: boolean
  /** The operator with a user function that throws this. */
  readonly throwing?: (error: unknown) => (source: Stream<T>) => AnyStream<unknown>
  /** Whether elements pass through it: barriers then, and state. False for what opens or closes an element stream. */
  readonly inside?: boolean
}

const isText = (value: unknown, start: string): boolean => typeof value === 'string' && value.startsWith(start)

/** The cases that every operator has to pass. `#1` is a barrier. */
export function operatorCases<T, R>({
  operator,
  one,
  none = [],
  many: [inputs, results],
  onlyAtEnd = false,
  throwing,
  inside = true,
}: OperatorCases<T, R>): void {
  describe('as every operator', () => {
    test('never: stays open, emits nothing, and lets go of its source', () => {
      const seen: R[] = []
      let ended = false
      let open = 0
      const source = new Observable<T>(() => {
        open += 1
        return () => {
          open -= 1
        }
      })
      const subscription = operator(source.pipe(records()))
        .pipe(values())
        .subscribe({ next: (value) => seen.push(value), complete: () => (ended = true), error: () => (ended = true) })
      expect({ seen, ended, open }).toEqual({ seen: [], ended: false, open: 1 })
      subscription.unsubscribe()
      expect(open).toBe(0)
      operator(NEVER.pipe(records())).subscribe().unsubscribe()
    })

    test('empty: completes', async () => {
      expect(await collect(operator(EMPTY.pipe(records())))).toEqual(none)
    })

    test('one', async () => {
      expect(await collect(operator(of(one[0]).pipe(records())))).toEqual(one[1])
    })

    test('many, and again on a second subscription', async () => {
      const stream = operator(of(...inputs).pipe(records()))
      expect(await collect(stream)).toEqual(results)
      expect(await collect(stream)).toEqual(results)
    })

    test('error: passes it on as it is', async () => {
      const mine = new Error('mine')
      const failing = concat(
        of(...inputs),
        throwError(() => mine),
      )
      await expect(collect(operator(failing.pipe(records())))).rejects.toBe(mine)
    })

    test.skipIf(onlyAtEnd)('early unsubscribe: a synchronous source stops at once', () => {
      let pulled = 0
      let stopped = false
      const source = new Observable<T>((subscriber) => {
        for (let round = 0; round < 100 && !subscriber.closed; round++)
          for (const value of inputs) {
            if (subscriber.closed) break
            pulled += 1
            subscriber.next(value)
          }
        stopped = subscriber.closed
        subscriber.complete()
      })
      const seen: R[] = []
      let completed = false
      operator(source.pipe(records()))
        .pipe(values(), take(1))
        .subscribe({ next: (value) => seen.push(value), complete: () => (completed = true) })
      expect({ seen, completed, stopped }).toEqual({ seen: results.slice(0, 1), completed: true, stopped: true })
      expect(pulled).toBeLessThanOrEqual(inputs.length)
    })

    const thrown = throwing === undefined ? [] : [new Error('mine'), { reason: 'mine' }, 'mine', undefined]

    test.each(thrown)('user function throws %s: ends in that very error, never in complete', async (mine) => {
      await expect(collect((throwing as NonNullable<typeof throwing>)(mine)(of(...inputs).pipe(records())))).rejects.toBe(mine)
    })

    const whole = (): unknown[] => {
      const fed = handFed(operator).start()
      fed.run.open()
      return fed
        .records(...inputs)
        .end()
        .complete().out.seen
    }

    const cuts = inside ? Array.from({ length: inputs.length + 1 }, (_, at) => at) : []

    test.each(cuts)('barrier behind %i records: leaves once, at its place, and changes nothing', (at) => {
      const fed = handFed(operator).start()
      fed.run.open()
      fed.records(...inputs.slice(0, at))
      const before = [...fed.out.seen]
      fed.barrier(1)
      expect(fed.out.seen).toEqual([...before, '#1'])
      fed.run.complete(1)
      fed
        .records(...inputs.slice(at))
        .end()
        .barrier(2)
        .complete()
      expect(fed.out.seen.filter((each) => isText(each, '#'))).toEqual(['#1', '#2'])
      expect(fed.out.seen.filter((each) => !isText(each, '#'))).toEqual(whole())
      expect(fed.out.ending).toBe('complete')
    })

    test.each(cuts)('restored behind %i records it goes on as if nothing had happened', (at) => {
      const first = handFed(operator).start()
      first.run.open()
      first.records(...inputs.slice(0, at)).barrier(1)
      const checkpoint = first.run.complete(1)
      const before = first.out.seen.slice(0, -1)
      const run = new HandRun()
      const second = handFed(operator, run).start()
      run.open(checkpoint)
      second
        .records(...inputs.slice(at))
        .end()
        .complete()
      const records = (seen: readonly unknown[]): unknown[] => seen.filter((each) => !isText(each, 'w') && !isText(each, 'end'))
      expect(records([...before, ...second.out.seen])).toEqual(records(whole()))
    })
  })
}
