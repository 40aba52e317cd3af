/** The program under test: it runs the workload in its place, until it is killed or its sources end. */
import { writeSync } from 'node:fs'
import { steps } from '../process/steps.js'
import type { Orders, Said } from './orders.js'
import { placed } from './placed.js'
import { recordSource } from './records.js'
import { partitions, workload } from './workload.js'

/** So many records of each source, and then a checkpoint is awaited. Some more flow meanwhile. */
const recordsPerCheckpoint = 40
/** The last life ends at the next multiple behind its start. */
const endMultiple = 200

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders
const say = (...said: Said): void => {
  writeSync(1, `${said.join(' ')}\n`)
}

const paces = partitions.map(() => steps(recordsPerCheckpoint))
const goOn = (): void => {
  for (const pace of paces) pace.go()
}
goOn()

const { storage, state, sinks } = await placed(orders)
const job = workload({
  storage,
  ...(state === undefined ? {} : { state }),
  checkpoints: { intervalMs: 1 },
  limits: { sourceBatchMax: 16 },
  source(partition) {
    const endOf = (start: number): number => {
      if (!orders.last) return Number.MAX_SAFE_INTEGER
      const end = (Math.floor(start / endMultiple) + 1) * endMultiple
      say('ends', String(partition), String(end))
      return end
    }
    return (paces[partition] as (typeof paces)[number]).over(recordSource({ seed: orders.seed, partition, endOf }))
  },
  sink: (output) => sinks[output],
})
say('up')
const run = job.run()
run.events$.subscribe({
  next(event) {
    if (event.kind === 'restored') say('restored', String(event.checkpointId ?? 'none'))
    if (event.kind === 'started') say('started')
    if (event.kind === 'checkpointStarted') say('begun', String(event.checkpointId))
    if (event.kind === 'checkpointAborted') say('aborted', String(event.checkpointId))
    if (event.kind !== 'checkpointCompleted') return
    say('complete', String(event.checkpointId))
    goOn()
  },
  error() {},
})
run.done.then(
  () => say('done'),
  (error: { readonly code?: unknown; readonly cause?: { readonly code?: unknown } }) => {
    process.exitCode = 1
    say('failed', `${error.code} ${error.cause?.code}`, String(error).replaceAll('\n', ' '))
  },
)
