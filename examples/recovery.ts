/**
 * Lets a job fail after a checkpoint, and prints what it does to count every word once.
 *
 * Flink's walk through a recovery: a checkpoint after three words has the position of the source (3) and the counts (hello 2, world 1). The
 * job fails at the fifth word. It is started again, finds the checkpoint, reads on from the fourth word, and goes on as if nothing had been.
 * "flink" is processed twice, and counted once.
 *
 *     npm run example -- recovery
 */
import { filter } from 'rxjs'
import { defineJob, type JobRunHandle, tapValues } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { runningCounts } from './wordCount/words.js'

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const words = memorySource(['hello', 'world', 'hello'], { bounded: false })
  const counts = memorySink<string>()
  let run: JobRunHandle | undefined
  let failures = 0
  const job = defineJob('recovery', { storage: memory(), checkpoints: { intervalMs: Number.POSITIVE_INFINITY } }, ({ source, sink }) =>
    runningCounts(source('words', words)).pipe(
      tapValues((count) => {
        print(`processed ${count}`)
        if (count === '(hello,2)') void run?.checkpoint()
        if (count === '(hello,3)' && ++failures === 1) throw new Error('a failure at the fifth word')
      }),
      sink('counts', counts),
    ),
  )
  run = job.run({ restart: { count: 1, delayMs: 0 } })
  run.events$.subscribe((event) => {
    if (event.kind === 'restored')
      print(event.checkpointId === undefined ? 'started without a checkpoint' : `restored checkpoint ${event.checkpointId}`)
  })
  // The other words come when the first checkpoint is complete.
  run.events$.pipe(filter((event) => event.kind === 'checkpointCommitted' && event.checkpointId === 1)).subscribe(() => {
    print(`checkpoint 1 is complete; committed so far: ${counts.committed.join(' ')}`)
    words.push('flink', 'hello', 'world', 'hello', 'flink')
    words.end()
  })
  await run.done
  print(`committed: ${counts.committed.join(' ')}`)
}

if (process.argv[1] === import.meta.filename) await main()
