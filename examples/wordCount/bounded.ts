/**
 * Counts the words of a file, and prints a count for every word that comes.
 *
 * Flink's `StreamExecutionEnvironment.readTextFile(...)` with `keyBy(...).sum(1)`. The same file as in `wordCount/batch`, but each record is
 * processed by itself: "hello" comes three times, so three counts of it are printed.
 *
 *     npm run example -- wordCount/bounded
 */
import { defineJob } from 'rxweir'
import { memory, memorySink } from 'rxweir/backends/memory'
import { linesFile, runningCounts } from './words.js'

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const counts = memorySink<string>()
  const job = defineJob('bounded-word-count', { storage: memory() }, ({ source, sink }) =>
    runningCounts(source('lines', linesFile())).pipe(sink('counts', counts)),
  )
  await job.run().done
  for (const count of counts.committed) print(count)
}

if (process.argv[1] === import.meta.filename) await main()
