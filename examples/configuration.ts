/**
 * Configures checkpoints and where state is kept, and shows that a cancelled job goes on where it was.
 *
 * Flink's `env.enableCheckpointing(...)`, `CheckpointConfig` and `setStateBackend(...)`, as options of a job:
 *
 *     enableCheckpointing(10_000)                            checkpoints.intervalMs; every second unless told
 *     setCheckpointingMode(EXACTLY_ONCE)                     checkpoints.mode: 'exactly-once', unless told
 *     setMinPauseBetweenCheckpoints(500)                     checkpoints.minPauseMs
 *     setCheckpointTimeout(60_000)                           checkpoints.timeoutMs
 *     setMaxConcurrentCheckpoints(1)                         always: one at a time
 *     setTolerableCheckpointFailureNumber(3)                 checkpoints.tolerableFailures
 *     enableUnalignedCheckpoints()                           checkpoints.unaligned
 *     RETAIN_ON_CANCELLATION                                 always; as many as retainedCheckpoints says
 *     HashMapStateBackend, FsStateBackend                    state: heap(), storage: directory(path)
 *     MemoryStateBackend, JobManagerCheckpointStorage        state: heap(), storage: memory()
 *     EmbeddedRocksDBStateBackend                            a `StateBackend` of another kind than heap()
 *
 * `state` says where live state is, `storage` where checkpoints go. They are written in the background, always, and each writes what changed.
 *
 *     npm run example -- configuration
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { defineJob, heap, type JobOptions } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { memorySink, memorySource } from 'rxweir/backends/memory'
import { type Click, clicks } from './clicks.js'
import { pageViews } from './pageViews.js'

export const options = (path: string): JobOptions => ({
  state: heap(),
  storage: directory(path, { retainedCheckpoints: 3 }),
  checkpoints: { intervalMs: 10_000, minPauseMs: 500, timeoutMs: 60_000, tolerableFailures: 3, mode: 'exactly-once', unaligned: true },
})

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'rxweir-'))
  try {
    const input = memorySource<Click>(clicks.slice(0, 13), { bounded: false })
    const lines = memorySink<string>()
    const job = defineJob('configuration', options(path), ({ source, sink }) => pageViews(source('clicks', input)).pipe(sink('lines', lines)))

    const first = job.run()
    await firstValueFrom(first.events$.pipe(filter((event) => event.kind === 'started')))
    print(`checkpoint ${await first.checkpoint()} is complete, and the job is cancelled`)
    first.cancel()

    input.push(...clicks.slice(13))
    input.end()
    const second = job.run()
    second.events$.subscribe((event) => {
      if (event.kind === 'restored') print(`started again from checkpoint ${event.checkpointId}`)
    })
    await second.done
    for (const line of lines.committed) print(line)
  } finally {
    await rm(path, { recursive: true })
  }
}

if (process.argv[1] === import.meta.filename) await main()
