/** The program of a soak: one process in which the job is started, crashed and stopped many times, and which looks at itself meanwhile. */
import { readdirSync, writeSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { directory, fileSink, jsonLinesSink } from 'rxweir/backends/directory'
import { recordSource } from './records.js'
import { soakWork } from './soakWork.js'
import type { Line } from './workload.js'

export interface SoakOrders {
  readonly folder: string
  readonly seed: number
  readonly leastMs: number
  readonly leastRecords: number
  /** How often the job is started, twice at least. */
  readonly lives: number
  readonly samples: number
  /** About so many bytes are kept of every thousand records: the campaign has to notice. */
  readonly leakBytes: number
}

/** What it says, a line each. */
export type SoakSaid =
  | {
      readonly kind: 'sample'
      readonly atMs: number
      readonly records: number
      readonly heap: number
      readonly descriptors: number
      readonly timers: number
      /** By so many records one source is ahead of the other. */
      readonly apart: number
      readonly resident: number
    }
  | { readonly kind: 'life'; readonly restored: boolean; readonly checkpoints: number; readonly inCheckpoint: boolean }
  | { readonly kind: 'ends'; readonly partition: number; readonly end: number }
  | { readonly kind: 'done'; readonly descriptors: number; readonly timers: number }
  | { readonly kind: 'failed'; readonly what: string }

const endMultiple = 1_000
const checkpointMs = 200
const orders = JSON.parse(process.argv[2] ?? '{}') as SoakOrders
const { folder, seed, leastMs, leastRecords, lives, leakBytes } = orders
const say = (said: SoakSaid): void => {
  writeSync(1, `${JSON.stringify(said)}\n`)
}
const collect = (globalThis as { gc?: () => void }).gc
if (collect === undefined) throw new Error('run it with --expose-gc')

let records = 0
let last = false
const at: [number, number] = [0, 0]
const kept: unknown[] = []
const job = soakWork({
  storage: directory(`${folder}/state`),
  checkpoints: { intervalMs: checkpointMs },
  source: (partition) =>
    recordSource({
      seed,
      partition,
      endOf(start) {
        if (!last) return Number.MAX_SAFE_INTEGER
        const end = (Math.floor(start / endMultiple) + 1) * endMultiple
        say({ kind: 'ends', partition, end })
        return end
      },
    }),
  sink: (uid) => (uid === 'chains' ? jsonLinesSink<Line>(`${folder}/chains`) : fileSink<Line>(`${folder}/sums`, { rolling: { ageMs: 5_000 } })),
  saw: (record) => {
    records += 1
    at[record.partition as 0 | 1] = record.offset
    if (leakBytes > 0 && records % 1_000 === 0) kept.push(new Array(Math.ceil(leakBytes / 8)).fill(0.5))
  },
})

const startedMs = performance.now()
const descriptors = (): number => readdirSync('/proc/self/fd').length
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
const sampleEveryMs = leastMs / orders.samples
let sampledMs = Number.NEGATIVE_INFINITY
function sample(): void {
  const atMs = performance.now() - startedMs
  if (atMs - sampledMs < sampleEveryMs) return
  sampledMs = atMs
  collect?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  say({
    kind: 'sample',
    atMs,
    records,
    heap: heapUsed + external,
    descriptors: descriptors(),
    timers: timers(),
    apart: Math.abs(at[0] - at[1]),
    resident: rss,
  })
}

/** Each goes on where the one before was; the last one comes to the end of its sources. */
async function life(number: number): Promise<void> {
  last = number === lives
  const untilMs = (leastMs * number) / (lives - 1)
  const untilRecords = (leastRecords * number) / (lives - 1)
  let restored = false
  let checkpoints = 0
  let underWay = false
  let over = false
  const run = job.run()
  run.events$.subscribe({
    next(event) {
      if (event.kind === 'restored') restored = event.checkpointId !== undefined
      if (event.kind === 'checkpointStarted') underWay = true
      if (event.kind === 'checkpointAborted' || event.kind === 'checkpointCompleted') underWay = false
      if (event.kind === 'checkpointCompleted') checkpoints += 1
    },
    error() {},
  })
  const ended = run.done.finally(() => {
    over = true
  })
  ended.catch(() => undefined)
  while (!over && (last || performance.now() - startedMs < untilMs || records < untilRecords || checkpoints === 0)) {
    await after(5)
    sample()
  }
  // Every other one is crashed, in the middle of a checkpoint if one comes along; the others are stopped.
  const crashes = !last && number % 2 === 1
  for (let waits = 0; crashes && !over && !underWay && waits < 10 * checkpointMs; waits += 1) await after(1)
  say({ kind: 'life', restored, checkpoints, inCheckpoint: crashes && underWay })
  if (crashes) run.cancel()
  else if (!last) await run.stop()
  await ended
}

try {
  for (let number = 1; number <= lives; number += 1) await life(number)
  // What the last run has let go of is closed within a moment.
  await after(100)
  say({ kind: 'done', descriptors: descriptors(), timers: timers() })
} catch (error) {
  say({ kind: 'failed', what: String((error as Error).stack ?? error) })
}
