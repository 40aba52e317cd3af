import { describe, expect, test } from 'vitest'
import { tapValues } from '../../operators/tapValues.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'

const passing = tapValues<unknown>(() => undefined)

describe('the input of an operator behind rxjs', () => {
  test('an element that comes while another is processed waits: order, keys and barriers stay', () => {
    const log: unknown[] = []
    const rig: { fed?: ReturnType<typeof handFed> } = {}
    const fed = handFed((source) =>
      source.pipe(
        tapValues((value: unknown, { key }) => {
          if (value === 'cause') rig.fed?.record('effect', undefined, 'other').barrier(1)
          log.push([value, key])
        }),
      ),
    )
    rig.fed = fed
    fed.start(true).record('cause', undefined, 'k').record('next', undefined, 'k')
    expect(log).toEqual([
      ['cause', 'k'],
      ['effect', 'other'],
      ['next', 'k'],
    ])
    expect(fed.out.seen).toEqual(['cause', 'effect', '#1', 'next'])
  })

  test('a feedback that never ends is an error with a code', () => {
    const rig: { fed?: ReturnType<typeof handFed> } = {}
    const fed = handFed(
      (source) =>
        source.pipe(
          tapValues(() => {
            rig.fed?.records(1, 2)
          }),
        ),
      new HandRun({ limits: { entryQueueMax: 4 } }),
    )
    rig.fed = fed
    fed.start()
    // What a run does with its error: nobody listens any more.
    fed.run.fail = (error) => {
      fed.run.failures.push(error)
      fed.out.subscription.unsubscribe()
    }
    fed.record(0)
    expect(fed.run.failures[0]).toMatchObject({ code: 'ENTRY_QUEUE_FULL', details: { operator: 'tapValues', entryQueueMax: 4 } })
  })

  test.each<readonly [string, (fed: ReturnType<typeof handFed>) => unknown, string]>([
    ['a second start', (fed) => fed.start(), 'STREAM_STARTED_TWICE'],
    ['a barrier that comes again', (fed) => fed.barrier(2).barrier(2), 'BARRIER_REPEATED'],
    ['an older barrier', (fed) => fed.barrier(2).barrier(1), 'BARRIER_REPEATED'],
    ['a plain value', (fed) => fed.elements.next('value' as never), 'STREAM_NOT_STARTED'],
    ['nothing', (fed) => fed.elements.next(undefined as never), 'STREAM_NOT_STARTED'],
    ['completion without the end of the input', (fed) => fed.complete(), 'INPUT_CUT'],
  ])('%s is an error that names the operator', (_name, act, code) => {
    const fed = handFed(passing).start()
    act(fed)
    expect(fed.run.failures).toMatchObject([{ code, name: 'StreamError', details: expect.objectContaining({ operator: 'tapValues' }) }])
  })

  test.each<readonly [string, (fed: ReturnType<typeof handFed>) => unknown]>([
    ['a record', (fed) => fed.record(1)],
    ['a barrier', (fed) => fed.barrier(1)],
    ['the end', (fed) => fed.end()],
    ['a plain value', (fed) => fed.elements.next(7 as never)],
  ])('%s before the start is an error', (_name, act) => {
    const fed = handFed(passing)
    act(fed)
    expect(fed.out.ending).toMatchObject({ error: { code: 'STREAM_NOT_STARTED', details: expect.objectContaining({ operator: 'tapValues' }) } })
  })

  test('elements of another copy of the module are elements', () => {
    const fed = handFed(passing).start()
    const foreign = { kind: 'record', value: 'foreign', timestamp: 1, key: 'k', [Symbol.for('rxweir.element')]: true }
    fed.elements.next(foreign as never)
    expect(fed.out.records).toEqual([{ value: 'foreign', timestamp: 1, key: 'k' }])
  })
})
