import { concat, EMPTY, NEVER, Observable, of, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { AnyStream, Stream } from '../../lib/element.js'
import { collect } from '../../operators/collect.js'
import { records } from '../../operators/records.js'
import { handFed } from './handFed.js'
import { HandRun } from './handRun.js'
import { manualClock } from './manualClock.js'

export interface WaitingCases {
  readonly operator: (source: Stream<string>) => AnyStream
  /** After so long everything that waits has gone on. */
  readonly waitMs: number
  /** What has come at once, and what goes on when time has passed. */
  readonly many: readonly [readonly string[], readonly unknown[]]
}

/** The cases of an operator that emits nothing before time has passed. `#1` is a barrier. */
export function waitingCases({ operator, waitMs, many: [inputs, results] }: WaitingCases): void {
  const begun = (): ReturnType<typeof handFed> => {
    const fed = handFed(operator).start()
    fed.run.open()
    return fed
  }

  describe('as every operator that waits', () => {
    test('never: stays open, and lets go of its source and of time', () => {
      let open = 0
      const source = new Observable<string>(() => {
        open += 1
        return () => {
          open -= 1
        }
      })
      const subscription = operator(source.pipe(records())).subscribe()
      expect(open).toBe(1)
      subscription.unsubscribe()
      expect(open).toBe(0)
      operator(NEVER.pipe(records())).subscribe().unsubscribe()
    })

    test('empty: completes', async () => {
      expect(await collect(operator(EMPTY.pipe(records())))).toEqual([])
    })

    test('many: nothing comes before its time', () => {
      const fed = begun().records(...inputs)
      void fed.run.clock.advance(waitMs - 1)
      expect(fed.out.seen).toEqual([])
      void fed.run.clock.advance(1)
      expect(fed.out.seen).toEqual(results)
    })

    test('error: passes it on at once, as it is, and nothing of what waits', async () => {
      const mine = new Error('mine')
      const failing = concat(
        of(...inputs),
        throwError(() => mine),
      )
      await expect(collect(operator(failing.pipe(records())))).rejects.toBe(mine)
    })

    test('early unsubscribe: nothing is asked of time any more', () => {
      const fed = begun().records(...inputs)
      expect(fed.run.clock.pendingCount).toBeGreaterThan(0)
      fed.out.subscription.unsubscribe()
      expect(fed.run.clock.pendingCount).toBe(0)
    })

    const cuts = Array.from({ length: inputs.length + 1 }, (_, at) => at)

    test.each(cuts)('barrier behind %i records: leaves once, at its place, and changes nothing', (at) => {
      const fed = begun().records(...inputs.slice(0, at))
      fed.barrier(1)
      expect(fed.out.seen).toEqual(['#1'])
      fed.run.complete(1)
      fed.records(...inputs.slice(at))
      void fed.run.clock.advance(waitMs)
      fed.barrier(2)
      expect(fed.out.seen).toEqual(['#1', ...results, '#2'])
    })

    test.each(cuts)('restored behind %i records: they go on at their times', (at) => {
      const first = begun().records(...inputs.slice(0, at))
      first.barrier(1)
      const second = handFed(operator, new HandRun()).start()
      second.run.open(first.run.complete(1))
      second.records(...inputs.slice(at))
      void second.run.clock.advance(waitMs - 1)
      expect(second.out.seen).toEqual([])
      void second.run.clock.advance(1)
      expect(second.out.seen).toEqual(results)
    })

    test('restored much later: what is overdue goes on before the first record', () => {
      const first = begun().records(...inputs)
      first.barrier(1)
      const second = handFed(operator, new HandRun({ clock: manualClock(1_000_000) })).start()
      second.run.open(first.run.complete(1))
      expect(second.out.seen).toEqual(results)
    })

    test('a clock that calls late: what is overdue goes on before the next record', () => {
      let nowMs = 0
      const late = { ...manualClock(), nowMs: () => nowMs }
      const fed = handFed(operator, new HandRun({ clock: late })).start()
      fed.run.open()
      fed.records(...inputs)
      nowMs = waitMs + 1
      fed.record('late')
      expect(fed.out.seen).toEqual(results)
    })
  })
}
