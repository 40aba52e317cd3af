import { expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { type Meter, meterRun, type Observed } from '../../backends/openTelemetry/index.js'
import { settled, testJob, watched } from '../support/jobs.js'

/** A meter as the tools have it: it asks when somebody reads it. */
function tallied() {
  const callbacks = new Map<string, (result: Observed) => void>()
  const recorded: [name: string, value: number, attributes: object][] = []
  const observable = (name: string) => ({
    addCallback: (callback: (result: Observed) => void) => void callbacks.set(name, callback),
    removeCallback: (callback: (result: Observed) => void) => {
      if (callbacks.get(name) === callback) callbacks.delete(name)
    },
  })
  const meter: Meter = {
    createObservableGauge: observable,
    createObservableCounter: observable,
    createHistogram: (name) => ({ record: (value, attributes = {}) => void recorded.push([name, value, attributes]) }),
  }
  const read = (name: string): unknown[] => {
    const found: unknown[] = []
    callbacks.get(name)?.({ observe: (value, attributes) => void found.push([value, attributes]) })
    return found
  }
  return { meter, read, recorded, names: () => [...callbacks.keys()] }
}

test('a meter is told where a run stands whenever it is read, and what each checkpoint took', async () => {
  const { job } = testJob(({ source, sink }) =>
    source('numbers', memorySource([1, 2, 3], { bounded: false })).pipe(sink('out', memorySink<number>())),
  )
  const run = watched(job)
  const { meter, read, recorded, names } = tallied()
  const end = meterRun(run, meter, { job: 'numbers' })
  await settled()
  expect(read('rxweir.source.records')).toEqual([[3, { job: 'numbers', uid: 'numbers' }]])
  expect(read('rxweir.source.paused.time')).toEqual([[0, { job: 'numbers', uid: 'numbers' }]])
  expect(read('rxweir.checkpoints')).toEqual([
    [0, { job: 'numbers', outcome: 'completed' }],
    [0, { job: 'numbers', outcome: 'failed' }],
  ])
  await run.checkpoint()
  expect(read('rxweir.checkpoints')[0]).toEqual([1, { job: 'numbers', outcome: 'completed' }])
  expect(recorded.map(([name, , attributes]) => [name, (attributes as { phase?: string }).phase])).toEqual([
    ['rxweir.checkpoint.duration', 'all'],
    ['rxweir.checkpoint.duration', 'barrier'],
    ['rxweir.checkpoint.duration', 'encode'],
    ['rxweir.checkpoint.duration', 'preCommit'],
    ['rxweir.checkpoint.duration', 'publish'],
    ['rxweir.checkpoint.size', undefined],
  ])
  for (const name of names()) expect(() => read(name)).not.toThrow()
  end()
  expect(names()).toEqual([])
  await run.stop()
  expect(recorded).toHaveLength(6)
})
