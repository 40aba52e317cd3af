import type { Course } from '../course.js'
import { durableLoop } from './durableLoop.js'
import { slidingLoop, timersLoop, windowsLoop } from './eventTimeLoops.js'
import { chainedLoop, immutableLoop, loop } from './handWritten.js'
import { type CheckpointFigures, type Checkpoints, job, type Shape, shapes } from './job.js'
import { joinLoop } from './joinLoop.js'
import { chainedGroups, chainedScan, groups, scanLoop, sharedGroups, sharedScan } from './rxjs.js'
import { timedShapes } from './timedShapes.js'
import { withLatestRule } from './withLatestFrom.js'

/** What a variant gets beside the readings: a folder of its own, and the time. */
export interface Surroundings {
  readonly folder: string
  readonly nowMs: () => number
}

export type Variant = (course: Course, surroundings: Surroundings) => void | Promise<void | CheckpointFigures>

/** One job under each of the checkpoint settings. */
function jobs(name: string, shape: Shape | undefined): [string, Variant][] {
  const settings: [string, Checkpoints][] = [
    ['none', { storage: 'memory', intervalMs: Number.POSITIVE_INFINITY }],
    ['memory-1s', { storage: 'memory', intervalMs: 1_000 }],
    ['directory-1s', { storage: 'directory', intervalMs: 1_000 }],
    ['directory-100ms', { storage: 'directory', intervalMs: 100 }],
    ['lmdb-1s', { storage: 'lmdb', intervalMs: 1_000 }],
  ]
  return settings.map(([setting, checkpoints]) => [
    `${name}/${setting}`,
    (course, { folder, nowMs }) => job(course, shape as Shape, checkpoints, folder, nowMs),
  ])
}

export const variants: ReadonlyMap<string, Variant> = new Map<string, Variant>([
  ['map', loop],
  ['map-immutable', immutableLoop],
  ['scan', scanLoop],
  ['groupBy', groups],
  ['durable-loop', (course, { folder }) => durableLoop(course, folder)],
  ...jobs('rxweir', shapes.mean),
  ['chain-map', chainedLoop],
  ['chain-scan', chainedScan],
  ['chain-groupBy', chainedGroups],
  ...jobs('chain-rxweir', shapes.chained),
  ['share-scan', sharedScan],
  ['share-groupBy', sharedGroups],
  ...jobs('share-rxweir', shapes.shared),
  ['windows-loop', windowsLoop],
  ['sliding-loop', slidingLoop],
  ['timers-loop', timersLoop],
  ['joins-loop', joinLoop],
  ['broadcast-withLatestFrom', withLatestRule],
  ...Object.entries(timedShapes).flatMap(([name, shape]) => jobs(`${name}-rxweir`, shape)),
])
