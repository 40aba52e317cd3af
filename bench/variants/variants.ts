import type { Course } from '../course.js'
import { durableLoop } from './durableLoop.js'
import { chainedLoop, immutableLoop, loop } from './handWritten.js'
import { type CheckpointFigures, type Checkpoints, job, shapes } from './job.js'
import { chainedGroups, chainedScan, groups, scanLoop, sharedGroups, sharedScan } from './rxjs.js'

/** What a variant gets beside the readings: a folder of its own, and the time. */
export interface Surroundings {
  readonly folder: string
  readonly nowMs: () => number
}

export type Variant = (course: Course, surroundings: Surroundings) => void | Promise<void | CheckpointFigures>

/** One job under each of the checkpoint settings. */
function jobs(name: string, shape: string): [string, Variant][] {
  const settings: [string, Checkpoints][] = [
    ['none', { storage: 'memory', intervalMs: Number.POSITIVE_INFINITY }],
    ['memory-1s', { storage: 'memory', intervalMs: 1_000 }],
    ['directory-1s', { storage: 'directory', intervalMs: 1_000 }],
    ['directory-100ms', { storage: 'directory', intervalMs: 100 }],
  ]
  return settings.map(([setting, checkpoints]) => [
    `${name}/${setting}`,
    (course, { folder, nowMs }) => job(course, shapes[shape] as never, checkpoints, folder, nowMs),
  ])
}

export const variants: ReadonlyMap<string, Variant> = new Map<string, Variant>([
  ['map', loop],
  ['map-immutable', immutableLoop],
  ['scan', scanLoop],
  ['groupBy', groups],
  ['durable-loop', (course, { folder }) => durableLoop(course, folder)],
  ...jobs('rxweir', 'mean'),
  ['chain-map', chainedLoop],
  ['chain-scan', chainedScan],
  ['chain-groupBy', chainedGroups],
  ...jobs('chain-rxweir', 'chained'),
  ['share-scan', sharedScan],
  ['share-groupBy', sharedGroups],
  ...jobs('share-rxweir', 'shared'),
])
