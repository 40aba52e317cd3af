import { readFile } from 'node:fs/promises'
import * as t from 'io-ts'
import { defineJob, type JobEvent, keyBy, statefulMap } from 'rxweir'
import { countingSink } from '../countingSink.js'
import { type Access, accesses } from './accesses.js'
import { type BackendName, type Kept, open, withFolder } from './kept.js'
import { loggedBytes } from './postgresServer.js'
import { steppedSource } from './steppedSource.js'

export interface BackendRequest {
  readonly backend: BackendName
  readonly keys: number
  /** Records behind the first one of each key. */
  readonly again: number
  readonly access: Access
  readonly recordsPerCheckpoint: number
  /** Of the Postgres server. */
  readonly connection: string
}

export interface BackendMeasurement {
  /** Records per second, checkpoints included, while each key comes for the first time, and while keys come again. */
  readonly come: number
  readonly again: number
  /** Of a checkpoint while keys come again, the average: rows that changed, their bytes, and the bytes that were written for it. */
  readonly rows: number
  readonly changedBytes: number
  readonly writtenBytes: number | undefined
  /** From the start of a second run until its first record; none where nothing outlives the run. */
  readonly recoverMs: number | undefined
  readonly heapPeakMb: number
}

const mebibyte = 1024 * 1024
const state = t.type({ sum: t.number, count: t.number })

interface Run {
  /** Lets so many records come, and takes a checkpoint behind them. */
  step(records: number): Promise<void>
  stop(): Promise<unknown>
  readonly completed: readonly Extract<JobEvent, { kind: 'checkpointCompleted' }>[]
}

function start(keys: Uint32Array, { options }: Kept, from: number): Run {
  const { source, go } = steppedSource(keys)
  let came = from
  let expected = from
  let all = (): void => {}
  const take = (): void => {
    came += 1
    if (came === expected) all()
  }
  const completed: Extract<JobEvent, { kind: 'checkpointCompleted' }>[] = []
  const checkpoints = { intervalMs: Number.POSITIVE_INFINITY }
  const run = defineJob('means', { ...options, checkpoints }, (scope) =>
    scope.source('keys', source).pipe(
      keyBy((key) => `key-${key}`),
      statefulMap('mean', { state }, (before: t.TypeOf<typeof state> | undefined, key: number) => {
        const next = { sum: (before?.sum ?? 0) + key, count: (before?.count ?? 0) + 1 }
        return [next, next.sum / next.count]
      }),
      scope.sink('means', countingSink<number>({ take, onBarrier() {} })),
    ),
  ).run()
  run.events$.subscribe({ next: (event) => void (event.kind === 'checkpointCompleted' && completed.push(event)), error() {} })
  return {
    completed,
    async step(records) {
      expected = came + records
      const through = new Promise<void>((resolve) => {
        all = resolve
      })
      go(records)
      // A run that fails says so.
      await Promise.race([through, run.done.then(() => Promise.reject(new Error('the job has ended')))])
      if (records > 1) await run.checkpoint()
    },
    stop: () => run.stop(),
  }
}

/** Bytes that this process has handed to the system, or the database has logged. */
async function written({ backend, connection }: BackendRequest): Promise<number | undefined> {
  if (backend === 'memory') return 0
  if (backend === 'postgres') return loggedBytes(connection)
  const told = await readFile('/proc/self/io', 'utf8').catch(() => '')
  return told === '' ? undefined : Number(/^wchar: (\d+)$/m.exec(told)?.[1])
}

/** The keyed mean on a backend. Records wait while a checkpoint is taken, so that each has the same changes. */
export const measureBackend = (request: BackendRequest): Promise<BackendMeasurement> =>
  withFolder(request.connection, async (folder) => {
    const { backend, keys, again, access, recordsPerCheckpoint, connection } = request
    const all = accesses(keys, again + 1, access)
    let heapPeak = 0
    const watch = setInterval(() => {
      heapPeak = Math.max(heapPeak, process.memoryUsage().heapUsed)
    }, 100)
    const kept = await open(backend, folder, connection)
    const run = start(all, kept, 0)
    const steps = async (records: number): Promise<number> => {
      const startMs = performance.now()
      for (let left = records; left > 0; left -= recordsPerCheckpoint) await run.step(Math.min(left, recordsPerCheckpoint))
      return (records * 1_000) / (performance.now() - startMs)
    }
    const come = await steps(keys)
    const before = run.completed.length
    const writtenBefore = await written(request)
    const cameAgain = await steps(again)
    const writtenBehind = await written(request)
    const checkpoints = run.completed.slice(before)
    const average = (sum: number): number => Math.round(sum / checkpoints.length)
    await run.stop()
    await kept.close()

    let recoverMs: number | undefined
    if (backend !== 'memory') {
      const reopened = await open(backend, folder, connection)
      const startMs = performance.now()
      const recovered = start(all, reopened, keys + again)
      await recovered.step(1)
      recoverMs = Math.round(performance.now() - startMs)
      await recovered.stop()
      await reopened.close()
    }
    clearInterval(watch)
    return {
      come: Math.round(come),
      again: Math.round(cameAgain),
      rows: average(checkpoints.reduce((sum, { rows }) => sum + rows, 0)),
      changedBytes: average(checkpoints.reduce((sum, { bytes }) => sum + bytes, 0)),
      writtenBytes: writtenBefore === undefined || writtenBehind === undefined ? undefined : average(writtenBehind - writtenBefore),
      recoverMs,
      heapPeakMb: Math.round(heapPeak / mebibyte),
    }
  })
