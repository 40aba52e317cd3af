import * as t from 'io-ts'
import { share } from 'rxjs'
import {
  type AnyStream,
  defineJob,
  filterValues,
  type JobEvent,
  type JobOptions,
  type JobScope,
  keyBy,
  mapValues,
  type Stream,
  statefulMap,
} from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { lmdb } from 'rxweir/backends/lmdb'
import { memory } from 'rxweir/backends/memory'
import { countingSink } from '../countingSink.js'
import type { Course } from '../course.js'
import { courseSource } from '../courseSource.js'
import type { Reading } from '../readings.js'
import { calibrated, fahrenheit, noSum, plausible, rounded, running } from '../steps.js'

export interface Checkpoints {
  /** `lmdb` keeps live rows there, too. */
  readonly storage: 'memory' | 'directory' | 'lmdb'
  readonly intervalMs: number
}

export interface CheckpointFigures {
  /** Of each complete checkpoint: rows, bytes, and how long it took in the background. */
  readonly completed: { readonly rows: number; readonly bytes: number; readonly durationMs: number }[]
  /** From the start of a checkpoint until its barrier has passed every operator, in µs: nothing else happens in this time. */
  readonly barrierUs: number[]
}

/** What stands between the sources and the sink. */
export type Shape = (source: JobScope['source'], course: Course) => AnyStream<number>

const ofReadings =
  (shape: (readings: Stream<Reading>) => AnyStream<number>): Shape =>
  (source, course) =>
    shape(source('readings', courseSource(course)))

const state = t.type({ sum: t.number, count: t.number })

const mean = () => statefulMap('mean', { state, initial: noSum }, running)

export const shapes: { readonly [name: string]: Shape } = {
  mean: ofReadings((readings) =>
    readings.pipe(
      keyBy(({ device }) => device),
      mean(),
    ),
  ),
  chained: ofReadings((readings) =>
    readings.pipe(
      mapValues(calibrated),
      filterValues(plausible),
      keyBy(({ device }) => device),
      mean(),
      mapValues(fahrenheit),
      mapValues(rounded),
    ),
  ),
  shared: ofReadings((readings) =>
    readings
      .pipe(
        mapValues(calibrated),
        share(),
        filterValues(plausible),
        share(),
        keyBy(({ device }) => device),
      )
      .pipe(mean(), share(), mapValues(fahrenheit), share(), mapValues(rounded)),
  ),
}

const mebibyte = 1024 * 1024

function backendOf({ storage }: Checkpoints, folder: string): Pick<JobOptions, 'storage' | 'state'> {
  if (storage === 'lmdb') return lmdb(folder, { cacheBytesMax: 64 * mebibyte, dirtyBytesMax: 64 * mebibyte })
  return { storage: storage === 'memory' ? memory() : directory(folder) }
}

/** The job, with a counting sink, from the course's first record to its last. */
export async function job(course: Course, shape: Shape, checkpoints: Checkpoints, folder: string, nowMs: () => number): Promise<CheckpointFigures> {
  const figures: CheckpointFigures = { completed: [], barrierUs: [] }
  let barrierMs = 0
  let aborted: Error | undefined
  const sinkOfCourse = countingSink<number>({
    take: (value) => course.take(value),
    onBarrier: () => figures.barrierUs.push((nowMs() - barrierMs) * 1_000),
  })
  const running = defineJob('bench', { ...backendOf(checkpoints, folder), checkpoints: { intervalMs: checkpoints.intervalMs } }, ({ source, sink }) =>
    shape(source, course).pipe(sink('results', sinkOfCourse)),
  ).run()
  running.events$.subscribe({
    next: (event: JobEvent) => {
      if (event.kind === 'checkpointStarted') barrierMs = nowMs()
      if (event.kind === 'checkpointCompleted') figures.completed.push({ rows: event.rows, bytes: event.bytes, durationMs: event.durationMs })
      if (event.kind === 'checkpointAborted') aborted ??= event.error
      // What follows is the last checkpoint, which a job that goes on does not take.
      if (event.kind === 'sourceEnded') setImmediate(() => running.cancel())
    },
    error: () => {},
  })
  await running.done
  if (aborted !== undefined) throw aborted
  return figures
}
