/** A process that runs the counting job over a store, and tells what becomes of it. */
import { ClassicLevel } from 'classic-level'
import { level } from 'rxweir/backends/level'
import { lmdb } from 'rxweir/backends/lmdb'
import { countingJob } from './countingJob.js'
import { steps } from './steps.js'

export type StoreNews =
  | { readonly kind: 'started' | 'finished' }
  | { readonly kind: 'checkpoint'; readonly count: number }
  | { readonly kind: 'failed' | 'aborted'; readonly code: unknown; readonly cause: unknown }

const tell = (news: StoreNews): void => {
  if (process.connected) process.send?.(news)
}
const codesOf = (error: unknown): { readonly code: unknown; readonly cause: unknown } => {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } }
  return { code, cause: cause?.code }
}

const [folder = '', recordsPerCheckpoint = '100', store = 'lmdb'] = process.argv.slice(2)
const step = steps(Number(recordsPerCheckpoint))
const limits = { cacheBytesMax: 1024 * 1024 }
const database = store === 'level' ? new ClassicLevel(`${folder}/store`) : undefined
const backend = { ...(database === undefined ? lmdb(`${folder}/store`, limits) : level(database, limits)) }
let count = 0
const run = countingJob({ folder, follow: false, checkpointMs: 1, backend, through: step.over }).run()
run.events$.subscribe({
  next(event) {
    if (event.kind === 'started') tell({ kind: 'started' })
    if (event.kind === 'checkpointAborted') tell({ kind: 'aborted', ...codesOf(event.error) })
    if (event.kind !== 'checkpointCompleted') return
    tell({ kind: 'checkpoint', count: (count += 1) })
    step.go()
  },
  error() {},
})
run.done
  .then(
    () => tell({ kind: 'finished' }),
    (error: unknown) => tell({ kind: 'failed', ...codesOf(error) }),
  )
  .finally(async () => {
    await database?.close()
    process.disconnect?.()
  })
