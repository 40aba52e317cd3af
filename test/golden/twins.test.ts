import { describe, expect, it } from 'vitest'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { AnyStream } from '../../lib/element.js'
import { jobName } from '../../lib/identity.js'
import { defineJob, type JobOptions } from '../../lib/index.js'
import * as durable from '../../operators/durable/index.js'
import { filterValues } from '../../operators/filterValues.js'
import { keyBy } from '../../operators/keyBy.js'
import { tapValues } from '../../operators/tapValues.js'
import { manualClock, settled } from '../support/manualClock.js'
import { recorded } from './recorded.js'
import { checkpointIn, storageWith, type WholeCheckpoint } from './wholeCheckpoint.js'

interface Record extends WholeCheckpoint {
  readonly after: { readonly [sink: string]: readonly string[] }
}

interface Sale {
  readonly who: string
  readonly amount: number
  readonly kind: 'sale' | 'gift'
}

const job = jobName('twins')
const sales = (
  [
    ['ada', 3, 'sale'],
    ['zoë', 5, 'gift'],
    ['ada', 3, 'gift'],
    ['\ud800', 1, 'sale'],
    ['ada', 4, 'sale'],
    ['zoë', 9, 'sale'],
    ['bob', 6, 'gift'],
    ['ada', 4, 'sale'],
    // Behind the savepoint.
    ['ada', 4, 'gift'],
    ['zoë', 9, 'sale'],
    ['bob', 7, 'sale'],
    ['\ud800', 3, 'gift'],
    ['ada', 8, 'sale'],
    ['bob', 8, 'gift'],
  ] as const
).map(([who, amount, kind]): Sale => ({ who, amount, kind }))
const before = 8

/** Every operator of `rxweir/durable` that keeps a state, but those of the whole job. Operators are only ever added to a copy of it. */
function made(options: Partial<JobOptions>) {
  const clock = options.clock ?? manualClock()
  const source = memorySource<Sale>([], { bounded: false })
  const sinks: { [name: string]: MemorySink<unknown> } = {}
  const seen: Sale[] = []
  const defined = defineJob(
    job,
    { storage: memory(), checkpoints: { intervalMs: Number.POSITIVE_INFINITY }, ...options, clock },
    ({ source: from, sink }) => {
      const into = (name: string, stream: AnyStream) => {
        sinks[name] = memorySink<unknown>()
        return stream.pipe(sink(`to-${name}`, sinks[name]))
      }
      const plain = from('sales', source).pipe(tapValues((sale) => void seen.push(sale)))
      const keyed = plain.pipe(keyBy(({ who }) => who))
      const amounts = keyed.pipe(filterValues(({ kind }) => kind === 'sale'))
      const gifts = keyed.pipe(filterValues(({ kind }) => kind === 'gift'))
      return [
        into('all', plain.pipe(durable.count('all'))),
        into('count', keyed.pipe(durable.count('count', ({ amount }: Sale) => amount > 3))),
        into('pairs', keyed.pipe(durable.bufferCount('pairs', 2))),
        into('overlapping', keyed.pipe(durable.bufferCount('overlapping', 3, 1))),
        into('spans', keyed.pipe(durable.bufferTime('spans', { spanMs: 20 }))),
        into('overlappingSpans', keyed.pipe(durable.bufferTime('overlappingSpans', { spanMs: 20, creationIntervalMs: 8 }))),
        into('quiet', keyed.pipe(durable.debounceTime('quiet', { dueMs: 6 }))),
        into('late', keyed.pipe(durable.delay('late', { dueMs: 15 }))),
        into('seldom', keyed.pipe(durable.throttleTime('seldom', { durationMs: 12, trailing: true }))),
        into('changes', keyed.pipe(durable.distinctUntilChanged('changes', (a: Sale, b: Sale) => a.amount === b.amount))),
        into('rest', keyed.pipe(durable.skip('rest', 2))),
        into('first', keyed.pipe(durable.take('first', 2))),
        into('while', keyed.pipe(durable.takeWhile('while', ({ amount }: Sale) => amount < 6, true))),
        into('latest', amounts.pipe(durable.combineLatestWith('latest', gifts))),
        into('with', amounts.pipe(durable.withLatestFrom('with', gifts))),
        into('zipped', amounts.pipe(durable.zipWith('zipped', gifts))),
      ]
    },
  )
  const passed = async (values: readonly Sale[]): Promise<void> => {
    const wanted = seen.length + values.length
    source.push(...values)
    while (seen.length < wanted) await settled(1)
  }
  return { defined, source, sinks, seen, passed }
}

/** Half of the values at one time, half at a later one: some wait for the clock when the savepoint is taken. */
async function left(): Promise<WholeCheckpoint> {
  const clock = manualClock()
  const target = memory()
  const { defined, passed } = made({ clock })
  const run = defined.run()
  await passed(sales.slice(0, 4))
  await clock.advance(10)
  await passed(sales.slice(4, before))
  await run.stop({ savepoint: target })
  return checkpointIn(target, job)
}

async function goneOn(checkpoint: WholeCheckpoint): Promise<Record['after']> {
  const clock = manualClock(12)
  const { defined, source, sinks, seen } = made({ clock, restore: { from: await storageWith(job, checkpoint) } })
  source.push(...sales)
  source.end()
  let ended = false
  const done = defined.run().done.finally(() => {
    ended = true
  })
  // All of them come at one time.
  while (seen.length < sales.length - before && !ended) await settled(1)
  while (!ended) await clock.advance(1)
  await done
  const texts = (values: readonly unknown[]): readonly string[] => values.map((value) => JSON.stringify(value)).sort()
  return Object.fromEntries(Object.entries(sinks).map(([name, { committed }]) => [name, texts(committed)]))
}

const written = async (): Promise<Record> => {
  const checkpoint = await left()
  return { ...checkpoint, after: await goneOn(checkpoint) }
}

describe('the checkpoint of a job with the operators of rxweir/durable', () => {
  it('that an earlier release took is restored, and the job goes on as it did then', async () => {
    const record = await recorded('twins', written)
    expect(Object.keys(record.tables).length).toBeGreaterThan(15)
    expect(await goneOn(record)).toEqual(record.after)
  })

  it('has the same body and the same rows as ever', async () => {
    expect(JSON.parse(JSON.stringify(await written()))).toEqual(await recorded('twins', written))
  })
})
