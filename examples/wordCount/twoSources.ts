/**
 * Counts the words of two sources together.
 *
 * What a Flink job with two source tasks and one sum does: the sum **aligns** its inputs, it waits with its snapshot until the barrier of a
 * checkpoint has come from both. So a crash counts no word of either source twice, although the two are read at their own pace.
 *
 * Which source's word comes first is not promised. The counts of one word come in order all the same, so only the order between
 * different words may differ from run to run: `main` prints the last count of each.
 *
 *     npm run example -- wordCount/twoSources
 */
import { defineJob, type Stream, union } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { runningCounts } from './words.js'

export const countsOfBoth = (first: Stream<string>, second: Stream<string>) => runningCounts(first.pipe(union(second)))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const counts = memorySink<string>()
  const job = defineJob('two-sources', { storage: memory() }, ({ source, sink }) =>
    countsOfBoth(
      source('first', memorySource(['hello world', 'hello flink', 'hello world', 'hello flink'])),
      source('second', memorySource(['hello', 'world', 'hello', 'flink'])),
    ).pipe(sink('counts', counts)),
  )
  await job.run().done
  const last = new Map(counts.committed.map((count) => [count.slice(1, count.indexOf(',')), count]))
  for (const word of [...last.keys()].sort()) print(`${last.get(word)}`)
}

if (process.argv[1] === import.meta.filename) await main()
