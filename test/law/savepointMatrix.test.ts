import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import * as t from 'io-ts'
import { MemoryLevel } from 'memory-level'
import { describe, expect, it } from 'vitest'
import { directory } from '../../backends/directory/index.js'
import { indexeddbIn } from '../../backends/indexeddb/indexeddb.js'
import { levelIn } from '../../backends/level/level.js'
import { lmdb } from '../../backends/lmdb/index.js'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { defineJob } from '../../lib/job.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { watched } from '../support/jobs.js'
import { TabLocks } from '../support/tabLocks.js'
import { temporaryDirectory } from '../support/temporary.js'

/** A new storage of each backend that needs no server. */
const backends: { readonly [name: string]: () => Promise<CheckpointStorage> } = {
  memory: async () => memory(),
  directory: async () => directory(await temporaryDirectory()),
  lmdb: async () => lmdb(await temporaryDirectory()).storage,
  level: async () => levelIn(new WeakMap(), new MemoryLevel<string, string>(), {}),
  indexeddb: async () => indexeddbIn(new WeakMap(), { browser: { indexedDB: new IDBFactory(), IDBKeyRange, locks: new TabLocks() } }),
}

const words = ['a', 'b', 'a', 'c', 'b', 'a']
const counted = ['a 1', 'b 1', 'a 2', 'c 1', 'b 2', 'a 3']

interface Lived {
  readonly input: MemorySource<string>
  readonly out: MemorySink<string>
}

/** Begins to count, in a storage or from a savepoint; what is told is called when a word has been counted. */
function counting({ input, out }: Lived, storage: CheckpointStorage, from: CheckpointStorage | undefined, told: (seen: number) => void) {
  let seen = 0
  const job = defineJob(
    'job',
    { storage, checkpoints: { intervalMs: 1_000_000 }, ...(from === undefined ? {} : { restore: { from } }) },
    ({ source, sink }) =>
      source('words', input).pipe(
        keyBy((word) => word),
        statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`]),
        tapValues(() => told((seen += 1))),
        sink('out', out),
      ),
  )
  return watched(job)
}

/** Resolves when so many words were counted since the start. */
function after(count: number): { readonly told: (seen: number) => void; readonly reached: Promise<void> } {
  let told = (_seen: number): void => {}
  const reached = new Promise<void>((resolve) => {
    told = (seen) => {
      if (seen === count) resolve()
    }
  })
  return { told: (seen) => told(seen), reached }
}

/** Counts to the middle, leaves with a savepoint, begins from it elsewhere, breaks off there, begins again, and counts to the end. */
async function moved(first: CheckpointStorage, savepoint: CheckpointStorage, second: CheckpointStorage): Promise<readonly unknown[]> {
  const lived: Lived = { input: memorySource(words.slice(0, 3), { bounded: false }), out: memorySink<string>() }
  const middle = after(3)
  const one = counting(lived, first, undefined, middle.told)
  await middle.reached
  await one.stop({ savepoint })
  lived.input.push(...words.slice(3))
  // It breaks off behind its start, with records that no checkpoint has.
  const begun = after(1)
  const two = counting(lived, second, savepoint, begun.told)
  await begun.reached
  two.cancel()
  await two.done.catch(() => undefined)
  lived.input.end()
  await counting(lived, second, savepoint, () => {}).done
  return lived.out.committed
}

describe('a job goes on from a savepoint in another backend, and from there after a run that broke off,', () => {
  for (const from of Object.keys(backends))
    for (const to of Object.keys(backends))
      it(`from ${from} to ${to}`, async () => {
        const [first, savepoint, second] = await Promise.all([backends[from]?.(), backends[to]?.(), backends[to]?.()])
        if (first === undefined || savepoint === undefined || second === undefined) throw new Error('there is such a backend')
        expect(await moved(first, savepoint, second)).toEqual(counted)
        // And the other way round: the savepoint in the format of where it came from.
        const [other, own, last] = await Promise.all([backends[from]?.(), backends[from]?.(), backends[to]?.()])
        expect(await moved(other as CheckpointStorage, own as CheckpointStorage, last as CheckpointStorage)).toEqual(counted)
      })
})
