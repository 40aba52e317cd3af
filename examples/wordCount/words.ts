import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { flatMapValues, keyBy, type Stream, statefulMap } from 'rxweir'
import { jsonLines } from 'rxweir/backends/directory'

/** The file that the programs count: three lines of text, each as JSON, so that a restart knows where it was in it. */
export const linesFile = () => jsonLines(fileURLToPath(new URL('lines.jsonl', import.meta.url)), t.string)

/** Splits lines into words; each word is its own key. */
export const wordsOf = (lines: Stream<string>) =>
  lines.pipe(
    flatMapValues((line) => line.split(' ').filter((word) => word !== '')),
    keyBy((word) => word),
  )

/** The count of a word after each time that it came: Flink's `keyBy(...).sum(1)`. */
export const runningCounts = (lines: Stream<string>) =>
  wordsOf(lines).pipe(statefulMap('count', { state: t.number, initial: 0 }, (count, word: string) => [count + 1, `(${word},${count + 1})`]))
