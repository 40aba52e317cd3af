/** What the counting program does, and how tests know what it should have done. */
import { writeFile } from 'node:fs/promises'
import * as t from 'io-ts'
import { defineJob, type Job, type JobOptions, keyBy, mapValues, type ReplayableSource, sink, statefulMap } from 'rxweir'
import { directory, jsonLines, jsonLinesSink } from 'rxweir/backends/directory'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { committedLines } from '../support/parts.js'

export interface Counting {
  readonly folder: string
  readonly follow: boolean
  readonly checkpointMs: number
  readonly files?: FileLayer
  /** Where state and checkpoints are; a directory unless told. */
  readonly backend?: Pick<JobOptions, 'storage' | 'state'>
  readonly through?: (source: ReplayableSource<number>) => ReplayableSource<number>
  readonly saw?: (number: number) => void
}

const kinds = 7

/** Says of each number the how manieth of its kind it is. */
export function countingJob({ folder, follow, checkpointMs, files = nodeFiles, backend, through = (from) => from, saw = () => {} }: Counting): Job {
  const kept = backend ?? { storage: directory(`${folder}/checkpoints`, { files }) }
  return defineJob('counting', { ...kept, checkpoints: { intervalMs: checkpointMs } }, ({ source }) =>
    source('numbers', through(jsonLines(`${folder}/numbers.jsonl`, t.number, { follow, followMs: 5 }))).pipe(
      mapValues((number) => {
        saw(number)
        return number
      }),
      keyBy((number) => number % kinds),
      statefulMap('count', { state: t.number, initial: 0 }, (count, number: number) => [count + 1, `${number}: ${count + 1}`]),
      sink('counts', jsonLinesSink(`${folder}/counts`, { files })),
    ),
  )
}

export const numbers = (from: number, to: number): string => Array.from({ length: to - from }, (_, index) => `${from + index}\n`).join('')

export const writeNumbers = (folder: string, count: number): Promise<void> => writeFile(`${folder}/numbers.jsonl`, numbers(0, count))

/** All lines, in order: there is one source, so there is one order. */
export const expectedCounts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => `${number}: ${Math.floor(number / kinds) + 1}`)

export const committedCounts = (folder: string): Promise<unknown[]> => committedLines(nodeFiles, `${folder}/counts`)
