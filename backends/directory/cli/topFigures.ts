import type { RunMetrics } from '../../../lib/metrics.js'
import type { Look, RememberedCheckpoint } from './jobServerClient.js'

interface PassedRecords {
  readonly uid: string
  readonly records: number
  /** Since the look before; undefined at the first, and where the job has begun anew. */
  readonly perSecond: number | undefined
  /** The part of the looks at which it could take no more. */
  readonly heldShare: number
}

/** What `top` shows of a job, of one look and those before. */
export interface TopFigures {
  readonly atMs: number
  /** How long it has been looked at. */
  readonly watchedMs: number
  readonly state: 'running' | 'paused' | 'input ended'
  readonly sources: readonly PassedRecords[]
  readonly sinks: readonly (PassedRecords & { readonly unconfirmedCommits: number })[]
  readonly operators: readonly {
    readonly uid: string
    readonly watermark: number | string
    readonly watermarkLagMs: number | undefined
    readonly rows: number
    readonly dropped: number
  }[]
  readonly checkpoints: RunMetrics['checkpoints']
  /** The last checkpoints that failed, newest first. */
  readonly failures: readonly RememberedCheckpoint[]
}

const failuresMax = 3

/** Makes figures of looks: rates are of the time between two of them. */
export class TopWatch {
  private looks = 0
  private first: number | undefined
  private before: Look | undefined
  private readonly held = new Map<string, number>()

  take(look: Look): TopFigures {
    const { atMs, metrics, history } = look
    const { before } = this
    this.looks += 1
    this.first ??= atMs
    const passed = (kind: 'sources' | 'sinks', uid: string, records: number, isHeld: boolean): PassedRecords => {
      const earlier = (before?.metrics[kind] as readonly { readonly uid: string; readonly records: number }[] | undefined)?.find(
        (each) => each.uid === uid,
      )
      const name = `${kind} ${uid}`
      const held = (this.held.get(name) ?? 0) + (isHeld ? 1 : 0)
      this.held.set(name, held)
      const ms = atMs - (before?.atMs ?? atMs)
      const isKnown = earlier !== undefined && earlier.records <= records && ms > 0
      return { uid, records, perSecond: isKnown ? ((records - earlier.records) * 1000) / ms : undefined, heldShare: held / this.looks }
    }
    const { sources, operators, sinks, checkpoints } = metrics
    const figures: TopFigures = {
      atMs,
      watchedMs: atMs - this.first,
      state:
        sources.length > 0 && sources.every(({ finished }) => finished) ? 'input ended' : sources.some(({ paused }) => paused) ? 'paused' : 'running',
      sources: sources.map(({ uid, records, paused }) => passed('sources', uid, records, paused)),
      sinks: sinks.map(({ uid, records, full, unconfirmedCommits }) => ({ ...passed('sinks', uid, records, full), unconfirmedCommits })),
      operators: operators.map(({ uid, watermark, watermarkLagMs, rows, dropped }) => ({
        uid,
        watermark,
        watermarkLagMs,
        rows: Object.values(rows).reduce((sum, count) => sum + count, 0),
        dropped: dropped.reduce((sum, { records }) => sum + records, 0),
      })),
      checkpoints,
      failures: history.filter(({ status }) => status === 'failed').slice(0, failuresMax),
    }
    this.before = look
    return figures
  }
}
