import { either } from 'fp-ts'
import { expect, it } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { defineJob } from '../../lib/job.js'
import type { CheckpointSession, CheckpointStorage } from '../../lib/ports/checkpointStorage.js'

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await undefined
}

/** A storage that takes its time to close. */
function slowToClose(): CheckpointStorage {
  const storage = memory()
  const slow = (session: CheckpointSession): CheckpointSession => ({
    latest: () => session.latest(),
    takeOver: (from) => session.takeOver(from),
    begin: (id) => session.begin(id),
    retained: () => session.retained(),
    hold: (id) => session.hold(id),
    letGo: (id) => session.letGo(id),
    idle: () => session.idle(),
    close: () => async () => {
      await turns(100)
      await session.close()()
    },
  })
  return { manifest: storage.manifest, open: (job) => async () => either.map(slow)(await storage.open(job)()) }
}

it('a run waits for the run before the last, when the last was given up while it waited itself', async () => {
  const out = memorySink<number>()
  const job = defineJob('job', { storage: slowToClose() }, ({ source, sink }) => source('in', memorySource([1, 2])).pipe(sink('out', out)))
  const first = job.subscribe({ error: () => {} })
  await turns(30)
  first.unsubscribe()
  job.subscribe({ error: () => {} }).unsubscribe()
  await job.run().done
  expect(out.committed).toEqual([1, 2])
})
