import fc from 'fast-check'
import * as rx from 'rxjs'
import { describe, expect, it } from 'vitest'
import { twinLaws } from '../../laws/twinLaws.js'
import type { MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'

const mine = new Error('mine')
const checked = (n: number): number => {
  if (n === 9) throw mine
  return n
}
/** Lets every value through but one above 8, at which it throws; ends behind two values of a stream without keys. */
const twoAtMost = (wrong: string) => () =>
  operate<number, number>({
    name: 'two',
    uid: 'two',
    create(context: MachineContext<number>) {
      const seen = new Map<unknown, number>()
      const end = (): void => {
        if (wrong !== 'end') context.emitWatermark(Number.POSITIVE_INFINITY)
        if (wrong !== 'end') context.emitEnd()
      }
      return {
        processRecord(value, timestamp, key) {
          const at = wrong === 'key' ? 'all' : key
          const count = (seen.get(at) ?? 0) + 1
          seen.set(at, count)
          if (count > 2 && wrong !== 'behind the end') return
          const emit = (): void => context.output.processRecord(wrong === 'value' ? value + 1 : checkedBy(wrong, value), timestamp, key)
          if (wrong === 'time') context.callAt(context.clock.nowMs() + 1, emit)
          else emit()
          if (count === 2 && !context.keyed) end()
        },
      }
    },
  })
function checkedBy(wrong: string, value: number): number {
  try {
    return checked(value)
  } catch (error) {
    throw wrong === 'error' ? new Error('mine', { cause: error }) : error
  }
}
const laws = (wrong: string) =>
  twinLaws<number, number>({
    twin: twoAtMost(wrong),
    rxjs: () => (source) => source.pipe(rx.take(2), rx.map(checked)),
    values: fc.integer({ min: 0, max: 9 }),
  })

describe('the law of twins', () => {
  for (const law of laws('nothing')) it(`${law.name} holds where nothing is wrong`, () => law.check({ seed: 1 }))

  it.each([
    ['the value', 'value', 'twin-equivalence'],
    ['the time', 'time', 'twin-equivalence'],
    ['the end', 'end', 'twin-equivalence'],
    ['which error it is', 'error', 'twin-equivalence'],
    ['that nothing comes behind the end', 'behind the end', 'twin-equivalence'],
    ['what belongs to a key', 'key', 'twin-equivalence-per-key'],
  ])('sees %s', async (_what, wrong, name) => {
    await expect(
      laws(wrong)
        .find((law) => law.name === name)
        ?.check({ seed: 1 }),
    ).rejects.toThrow(`The law ${name} does not hold`)
  })

  it('sees which of the two still listens to its source', async () => {
    const goesOn = (source: rx.Observable<number>): rx.Observable<number> =>
      new rx.Observable<number>((subscriber) => {
        source.subscribe({ next: (n) => subscriber.next(n), error: (error) => subscriber.error(error), complete: () => subscriber.complete() })
      }).pipe(rx.take(2))
    const [law] = twinLaws<number, number>({ twin: twoAtMost('nothing'), rxjs: () => goesOn, values: fc.integer({ min: 0, max: 8 }) })
    await expect(law?.check({ seed: 1 })).rejects.toThrow('whether it still listens to its source')
  })
})
