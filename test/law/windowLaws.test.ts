import { describe, it } from 'vitest'
import { type WindowUnderLaw, windowLaws } from '../../laws/windowLaws.js'
import { type Machine, type MachineContext, operate, session, tumbling } from '../../lib/index.js'
import { timeWindow } from '../../lib/window/timeWindow.js'
import { window } from '../../operators/window.js'
import { expectCaught } from '../support/caught.js'
import { common, expected, late, sum, type Value, windowMatrix } from './windowMatrix.js'

describe('windows keep their laws:', () => {
  for (const [name, laws] of Object.entries(windowMatrix)) for (const law of laws) it(`${name}: ${law.statement}`, () => law.check({ runs: 40 }))
  for (const law of windowLaws<Value, readonly Value[]>({
    ...common,
    apply: window('all', { assigner: session<Value>({ gapMs: 12 }), process: (all: readonly Value[], _window, emit) => emit(all as never) }) as never,
    assigner: session({ gapMs: 12 }),
    expected: (all) => [all],
  }))
    it(`sessions of all their records, in order: ${law.statement}`, () => law.check({ runs: 40 }))
})

describe('windows that are broken are caught:', () => {
  const assigner = tumbling({ sizeMs: 20 })
  const laws = (apply: unknown, more: Partial<WindowUnderLaw<Value, number>> = {}) =>
    windowLaws<Value, number>({ ...common, apply: apply as WindowUnderLaw<Value, number>['apply'], assigner, expected, ...more })
  const sums = (options: object) => window('sums', { assigner, aggregate: sum, ...options } as never)
  /** An operator of a beginner. */
  const naive = (create: (context: MachineContext<number>) => Machine<Value>) =>
    operate<Value, number>({ name: 'naive', uid: 'naive', keyed: true, create })

  it('an aggregate that forgets', () => {
    const add = (total: number, { n }: Value): number => (n === 7 ? total : total + n)
    return expectCaught(laws(sums({ aggregate: { ...sum, add } })), 'window-contents')
  })

  it('a window that is a millisecond longer', () => {
    const assign = (value: Value, at: number) => assigner.assign(value, at).map(({ start, end }) => timeWindow(start, end + 1))
    return expectCaught(laws(sums({ assigner: { name: 'longer', time: 'event', trigger: assigner.trigger, assign } })), 'window-contents')
  })

  it('lateness that nobody asked for', () => expectCaught(laws(sums({ late, allowedLatenessMs: 5 }), { late }), 'late-or-held'))
  it('lateness that is not given', () => expectCaught(laws(sums({ late }), { late, allowedLatenessMs: 5 }), 'late-or-held'))

  it('a window that emits at once', () => {
    const early = naive(({ output }) => ({ processRecord: ({ n, at }, _timestamp, key) => output.processRecord(n, at - (at % 20) + 19, key) }))
    return expectCaught(laws(early), 'not-before-its-end')
  })

  it('a window that keeps what it has emitted', () => {
    const keeping = naive((context) => {
      const rows = context.rows<number>({ table: 'rows', state: 'rows', namespaced: true, codec: { version: 1, toText: String, fromText: Number } })
      return {
        processRecord(_value, _timestamp, key) {
          if (rows.find(key as string, 0) === undefined) rows.create(key as string, 0, 1)
        },
      }
    })
    return expectCaught(laws(keeping), 'windows-are-freed')
  })

  it('a window that lives beside its state', () => {
    const forgetful = naive(({ output }) => {
      let total = 0
      return { processRecord: ({ n }, timestamp, key) => output.processRecord((total += n), timestamp, key) }
    })
    return expectCaught(laws(forgetful), 'window-restore')
  })

  it('a window that counts watermarks', () => {
    const counting = naive(({ output }) => {
      let seen = 0
      return {
        processRecord: (_value, timestamp, key) => output.processRecord(seen, timestamp, key),
        processWatermark: () => {
          seen += 1
        },
      }
    })
    return expectCaught(laws(counting), 'watermark-steps')
  })
})
