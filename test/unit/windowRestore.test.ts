import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits } from '../../lib/emits.js'
import { defineJob } from '../../lib/job.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { continuousEventTime } from '../../lib/window/continuousEventTime.js'
import { countEvictor } from '../../lib/window/countEvictor.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { countWindow } from '../../lib/window/countWindow.js'
import { eventTimeTrigger } from '../../lib/window/eventTimeTrigger.js'
import { purging } from '../../lib/window/purging.js'
import { session } from '../../lib/window/session.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { keyBy } from '../../operators/keyBy.js'
import { window } from '../../operators/window.js'
import { fedWindow, joined, shownWindow } from '../support/fedWindow.js'

const late = sideOutput<string>('late')
const tens = tumbling({ sizeMs: 10 })
const common = { late, ...joined }
const listed = { late, ...shownWindow, emits: emits<string>() }

const operators = {
  tumbling: window('w', { assigner: tens, allowedLatenessMs: 5, ...common }),
  'tumbling lists': window('w', { assigner: tens, allowedLatenessMs: 5, ...listed }),
  sliding: window('w', { assigner: sliding({ sizeMs: 10, slideMs: 4 }), allowedLatenessMs: 5, ...common }),
  'sliding lists': window('w', { assigner: sliding({ sizeMs: 10, slideMs: 4 }), ...listed }),
  sessions: window('w', { assigner: session({ gapMs: 6 }), allowedLatenessMs: 5, ...common }),
  'session lists, purged': window('w', { assigner: session({ gapMs: 6 }), allowedLatenessMs: 5, trigger: purging(eventTimeTrigger()), ...listed }),
  'session counts': window('w', { assigner: session({ gapMs: 6 }), trigger: countTrigger(3), ...common }),
  'continuous sessions': window('w', {
    assigner: session({ gapOf: (text: string) => 3 + (text.length % 4) }),
    trigger: continuousEventTime(4),
    ...common,
  }),
  counts: window('w', { ...countWindow(3), ...common }),
  'sliding counts': window('w', { ...countWindow(3, 2), ...listed }),
  evicted: window('w', { assigner: tens, trigger: countTrigger(2), evictor: countEvictor(3), ...listed }),
}

const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -20, max: 60 })).map(([key, at]) => `${key}${at}`) },
    { weight: 1, arbitrary: fc.integer({ min: -20, max: 70 }) },
  ),
  { maxLength: 40, size: 'max' },
)

/** What comes out of each step, the order of keys within one not counted; `at` is where the operator is restored. */
function outcome(operator: unknown, events: readonly (string | number)[], at: number): unknown[] {
  let fed = fedWindow(operator, { late })
  let watermark = Number.NEGATIVE_INFINITY
  const steps: unknown[] = []
  for (const [index, event] of [...events, 1_000].entries()) {
    if (index === at) fed = fedWindow(operator, { late, from: fed.checkpoint() })
    const before = fed.late?.records.length ?? 0
    if (typeof event === 'string') fed.put(event)
    else fed.watermark((watermark = Math.max(watermark, event)))
    steps.push([fed.took().sort(), (fed.late?.records.length ?? 0) - before])
  }
  return steps
}

describe('windows that are restored', () => {
  test.each(Object.entries(operators))('go on as if nothing had been: %s', (_name, operator) => {
    fc.assert(
      fc.property(history, fc.nat(40), (events, at) => {
        expect(outcome(operator, events, at % (events.length + 1))).toEqual(outcome(operator, events, -1))
      }),
      { numRuns: 60 },
    )
  })

  test.each(Object.entries(operators))('leave nothing behind when all is freed: %s', (name, operator) => {
    if (/count|evicted/.test(name)) return
    const fed = fedWindow(operator)
    fed.put('a1', 'a5', 'b8', 'a20', 'a13', 'b-3').watermark(500)
    const { chunks } = fed.checkpoint()
    expect(chunks.length).toBeGreaterThan(0)
    const after = fedWindow(operator, { from: { ...fed.checkpoint(2) } })
    after.feed.end()
    expect(after.took()).toEqual([])
  })

  test('in a job that crashes and starts again', async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `${'ab'.charAt(index % 2)}${Math.floor(index * 1.7) + (index % 9 > 6 ? 20 : 0)}`)
    const results: (readonly string[])[] = []
    for (const crashAt of [undefined, 40]) {
      const sunk = memorySink<string>()
      const source = memorySource(texts, { batchMax: 4 })
      const storage = memory()
      let crashes = 0
      const job = defineJob('windows', { storage, checkpoints: { intervalMs: 1 } }, ({ source: open, sink }) =>
        open('texts', source).pipe(
          assignTimestamps({ timestamp: (text: string) => Number(text.slice(1)), watermarks: monotonousTimestamps() }),
          keyBy((text) => text.charAt(0)),
          window('sessions', {
            assigner: session({ gapMs: 5 }),
            ...joined,
            result(list: string, context: { key: unknown; start: number; end: number }) {
              if (context.end > (crashAt ?? Number.POSITIVE_INFINITY) && crashes++ === 0) throw new Error('crash')
              return joined.result(list, context)
            },
          }),
          sink('results', sunk),
        ),
      )
      await job.run({ restart: { count: 1, delayMs: 0 } }).done
      expect(crashes > 0).toBe(crashAt !== undefined)
      results.push([...sunk.committed].sort())
    }
    expect(results[1]).toEqual(results[0])
    expect(results[0]?.length).toBeGreaterThan(3)
  })
})
