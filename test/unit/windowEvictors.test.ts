import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { countEvictor } from '../../lib/window/countEvictor.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { deltaEvictor } from '../../lib/window/deltaEvictor.js'
import type { Evictor } from '../../lib/window/evictor.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { session } from '../../lib/window/session.js'
import { timeEvictor } from '../../lib/window/timeEvictor.js'
import { window } from '../../operators/window.js'
import { fedWindow, joined } from '../support/fedWindow.js'

const evicting = (evictor: Evictor<string>, every: number) =>
  window('evicting', {
    assigner: globalWindow(),
    trigger: countTrigger(every),
    evictor,
    process: (values: readonly string[], _window, emit) => emit(values.join('+')),
    emits: emits<string>(),
  })

const far = (earlier: string, value: string): number => Number(value.slice(1)) - Number(earlier.slice(1))

describe('evictors', () => {
  test.each([
    ['the last two, taken before', countEvictor(2), 1, ['a1', 'a2', 'a3'], ['a1', 'a1+a2', 'a2+a3']],
    [
      'the last two, taken after',
      countEvictor(2, { when: 'after' }),
      2,
      ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'],
      ['a1+a2', 'a1+a2+a3+a4', 'a3+a4+a5+a6'],
    ],
    ['the last ten ms: exactly ten goes', timeEvictor(10), 3, ['a0', 'a1', 'a10'], ['a1+a10']],
    ['what is near the last', deltaEvictor({ threshold: 2, delta: far }), 2, ['a1', 'a4', 'a5', 'a6'], ['a4', 'a5+a6']],
  ])('keep %s', (_name, evictor, every, put, results) => {
    const fed = fedWindow(evicting(evictor as Evictor<string>, every))
    fed.put(...put)
    expect(fed.took()).toEqual(results)
  })

  test('without event time all stay', () => {
    const { feed, took } = fedWindow(evicting(timeEvictor(10), 2))
    feed.record('x', undefined, 'k').record('y', undefined, 'k')
    expect(took()).toEqual(['x+y'])
  })

  test('event times are stored with the values', () => {
    const first = fedWindow(evicting(timeEvictor(10), 4))
    first.put('a0', 'a5').feed.record('a-', undefined, 'a')
    const second = fedWindow(evicting(timeEvictor(10), 4), { from: first.checkpoint() })
    second.put('a12')
    expect(second.took()).toEqual(['a5+a12'])
  })

  test('what an evictor took is gone for good', () => {
    const first = fedWindow(evicting(countEvictor(1), 2))
    first.put('a1', 'a2', 'a3')
    const second = fedWindow(evicting(countEvictor(9), 2), { from: first.checkpoint() })
    second.put('a4')
    expect(second.took()).toEqual(['a2+a3+a4'])
  })

  test('with an evictor an aggregate folds what stays', () => {
    const { put, took } = fedWindow(
      window('evicting', { assigner: globalWindow(), trigger: countTrigger(2), evictor: countEvictor(1), ...joined, result: (list: string) => list }),
    )
    put('a1', 'a2')
    expect(took()).toEqual(['a2'])
  })

  test('one that takes all leaves an aggregate of nothing, and no reduction', () => {
    const none: Evictor<string> = { before: () => [] }
    const aggregated = fedWindow(
      window('evicting', { assigner: globalWindow(), trigger: countTrigger(1), evictor: none, aggregate: joined.aggregate }),
    )
    aggregated.put('a1')
    expect(aggregated.took()).toEqual([''])
    const reduced = fedWindow(
      window('evicting', { assigner: globalWindow(), trigger: countTrigger(1), evictor: none, reduce: (a: string, b: string) => a + b }),
    )
    reduced.put('a1')
    expect(reduced.took()).toEqual([])
  })

  test('sessions that merge keep the records of each', () => {
    const { put, took, watermark } = fedWindow(
      window('evicting', { assigner: session({ gapMs: 10 }), evictor: countEvictor(2), reduce: (a: string, b: string) => a + b }),
    )
    put('a0', 'a20', 'a10')
    watermark(29)
    expect(took()).toEqual(['a20a10'])
  })
})
