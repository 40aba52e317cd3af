import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits, valueState } from '../../lib/index.js'
import type { JobScope } from '../../lib/job.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { ran, settled, testJob, watched } from '../support/jobs.js'

/** A storage that opens when it is let. */
function slow(storage: CheckpointStorage): { readonly storage: CheckpointStorage; readonly let: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    storage: {
      ...storage,
      open: (job, options) => async () => {
        await opened
        return storage.open(job, options)()
      },
    },
    let: open,
  }
}

test('behind the last checkpoint of a job that is stopped no timer fires, and what is asked for meanwhile is the same cut', async () => {
  const input = memorySource(['a'], { bounded: false })
  const out = memorySink<string>()
  const build = ({ source, sink }: JobScope) =>
    source('words', input).pipe(
      keyBy((word) => word),
      processKeyed(
        'remind',
        { state: { word: valueState(t.string) }, emits: emits<string>() },
        {
          onRecord: (_word: string, { timers }) => timers.processingTime(timers.processingMs + 10),
          onTimer: (_at, { key, emit }) => emit(`remember ${String(key)}`),
        },
      ),
      sink('out', out),
    )
  const savepoint = memory()
  const target = slow(savepoint)
  const { job, clock } = testJob(build, { storage: memory({ retainedCheckpoints: 1 }) })
  const run = watched(job)
  await settled()
  const stopped = run.stop({ savepoint: target.storage })
  await settled()
  clock.advance(20)
  await settled()
  expect(await run.checkpoint()).toBe(2)
  target.let()
  await stopped
  expect(out.committed).toEqual([])
  input.end()
  const elsewhere = testJob(build, { storage: memory(), restore: { from: savepoint } })
  elsewhere.clock.advance(20)
  await ran(elsewhere.job)
  expect(out.committed).toEqual(['remember a'])
})
