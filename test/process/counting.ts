/** A process that runs the counting job. It stops when it is told to, or kills itself at one of its file operations. */
import { countingJob } from './countingJob.js'
import { dyingFiles } from './dyingFiles.js'
import { steps } from './steps.js'

export interface CountingOrders {
  readonly folder: string
  readonly follow: boolean
  readonly checkpointMs: number
  /** So many records, and then a checkpoint before more. */
  readonly recordsPerCheckpoint?: number
  /** The number of the file operation that is the last one. */
  readonly dieAt?: number
}

export type CountingNews =
  | { readonly kind: 'started' | 'finished' }
  | { readonly kind: 'saw'; readonly number: number }
  | { readonly kind: 'checkpoint'; readonly id: number }
  | { readonly kind: 'failed'; readonly code: unknown; readonly message: string }

const { dieAt, ...orders } = JSON.parse(process.argv[2] ?? '{}') as CountingOrders
const tell = (news: CountingNews): void => {
  if (process.connected) process.send?.(news)
}
process.once('disconnect', () => process.exit(1))

const step = steps(orders.recordsPerCheckpoint ?? Number.POSITIVE_INFINITY)
const run = countingJob({
  ...orders,
  ...(dieAt === undefined ? {} : { files: dyingFiles(dieAt) }),
  through: step.over,
  saw: (number) => {
    if (orders.follow) tell({ kind: 'saw', number })
  },
}).run()
run.events$.subscribe({
  next(event) {
    if (event.kind === 'started') tell({ kind: 'started' })
    if (event.kind === 'checkpointCompleted') {
      tell({ kind: 'checkpoint', id: event.checkpointId })
      step.go()
    }
  },
  error() {},
})
process.on('message', () => void run.stop({ drain: true }).catch(() => {}))
run.done
  .then(
    () => tell({ kind: 'finished' }),
    (error: { readonly code?: unknown }) => {
      process.exitCode = 1
      tell({ kind: 'failed', code: error.code, message: String(error) })
    },
  )
  .finally(() => {
    process.removeAllListeners('disconnect')
    process.disconnect?.()
  })
