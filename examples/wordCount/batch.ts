/**
 * Counts the words of a file, and prints each count once, when all has been read.
 *
 * Flink's batch mode: `readTextFile(...).flatMap(...).groupBy(0).sum(1)`, or a stream with `execution.runtime-mode=BATCH`. Here a file is
 * a stream that ends. One window holds all of it, per word, and its trigger fires at the end; what it keeps is one number a word.
 *
 *     npm run example -- wordCount/batch
 */
import { countRecords, defineJob, endOfStreamTrigger, globalWindow, type Stream, window } from 'rxweir'
import { memory, memorySink } from 'rxweir/backends/memory'
import { linesFile, wordsOf } from './words.js'

export const totals = (lines: Stream<string>) =>
  wordsOf(lines).pipe(
    window('totals', {
      assigner: globalWindow(),
      trigger: endOfStreamTrigger(),
      aggregate: countRecords(),
      result: (count, { key }) => `(${key},${count})`,
    }),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const counts = memorySink<string>()
  const job = defineJob('batch-word-count', { storage: memory() }, ({ source, sink }) =>
    totals(source('lines', linesFile())).pipe(sink('counts', counts)),
  )
  await job.run().done
  for (const count of counts.committed) print(count)
}

if (process.argv[1] === import.meta.filename) await main()
