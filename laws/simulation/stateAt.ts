/** The state of a job in a checkpoint, in a form in which two of the same state are the same text. */
import { readBody } from '../../lib/checkpointBody.js'
import type { RowChunk, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import { readRows } from '../../lib/state/rowFrames.js'
import { plainSurface } from './plainSurface.js'
import { calm } from './plan.js'
import { runSchedule } from './schedule.js'
import type { Inputs, SimulatedJob } from './simulatedJob.js'
import type { Found } from './storageIn.js'
import type { Surface } from './surface.js'

/** Everything that operators keep, and where the sources stood. Ids, epochs and transactions are left out: they may differ. */
export function stateText(body: StoredCheckpoint['body'], chunks: readonly RowChunk[]): string {
  const { operators, sources } = readBody(body)
  return stable({ sources, operators, rows: rowsOf(chunks) })
}

/** Where the sources stood, when there is only one and nothing else counts: then it says which state there has to be. */
export function cutOf({ stored }: Found, job: SimulatedJob): { readonly records: number; readonly finished: boolean } | undefined {
  const [uid] = job.sources
  if (stored === undefined || uid === undefined || job.sources.length !== 1 || job.keeps === 'any') return undefined
  const source = readBody(stored.body).sources[uid]
  return source === undefined ? undefined : { records: source.offset as number, finished: source.finished }
}

/** The state that a run without crashes has after so many records. */
export async function stateAfter(job: SimulatedJob, inputs: Inputs, cut: { readonly records: number; readonly finished: boolean }): Promise<string> {
  const [uid = ''] = job.sources
  let surface: Surface | undefined
  await runSchedule({
    job,
    inputs: { [uid]: (inputs[uid] ?? []).slice(0, cut.records) },
    plan: calm,
    surface: () => (surface = plainSurface()),
    ...(cut.finished ? {} : { waits: (handle) => void handle.stop().catch(() => {}) }),
  })
  const kept = (surface as Surface | undefined)?.newest?.()
  if (kept === undefined) throw new Error(`a run without crashes over ${cut.records} records left no checkpoint`)
  return stateText(kept.body, kept.chunks)
}

function rowsOf(chunks: readonly RowChunk[]): { [name: string]: string } {
  const rows: { [name: string]: string } = {}
  for (const { uid, table, bytes } of chunks)
    readRows(bytes, (key, value) => {
      const name = `${uid} ${table} ${hex(key)}`
      if (value === undefined) delete rows[name]
      else rows[name] = hex(value)
    })
  return rows
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** JSON with the names of every object in order. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
