import { tap } from 'rxjs'
import { expect, it } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { defineJob } from '../../lib/job.js'

it('stops without an error where a plain rxjs operator stands in the chain', async () => {
  const out = memorySink<number>()
  const job = defineJob('job', { storage: memory() }, ({ source, sink }) =>
    source('in', memorySource([1, 2], { bounded: false })).pipe(
      tap(() => {}),
      sink('out', out),
    ),
  )
  const run = job.run()
  await run.checkpoint().catch(() => {})
  await run.stop()
  await expect(run.done).resolves.toBeUndefined()
})
