import type { RunMetrics, SinkMetrics, SourceMetrics } from '../../../lib/metrics.js'
import type { Look, RememberedError } from './jobServerClient.js'

interface PassedRecords {
  readonly uid: string
  readonly records: number
  /** Since the look before; undefined at the first, and where the job has begun anew. */
  readonly perSecond: number | undefined
  /**
   * Of a source, the part of the time since the look before in which it was paused; of the whole run at the first. Of a sink, the part of the
   * looks at which it could take no more.
   */
  readonly heldShare: number
}

/** What `top` shows of a job, of one look and those before. */
export interface TopFigures {
  readonly atMs: number
  readonly job: string
  /** How long its run has been going on. */
  readonly runningMs: number
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
  /** What went wrong, newest first: runs that failed, checkpoints that were given up, commits that are tried again. */
  readonly errors: readonly RememberedError[]
}

const errorsMax = 5

/** Makes figures of looks: rates are of the time between two of them. */
export class TopWatch {
  private looks = 0
  private first: number | undefined
  private before: Look | undefined
  private readonly held = new Map<string, number>()

  take(look: Look): TopFigures {
    const { atMs, metrics, errors } = look
    const { job, runningMs, sources, operators, sinks, checkpoints } = metrics
    // A run that has begun anew counts from nothing again.
    const before = this.before !== undefined && this.before.metrics.runningMs <= runningMs ? this.before : undefined
    this.looks += 1
    this.first ??= atMs
    const ms = atMs - (before?.atMs ?? atMs)
    const rate = (records: number, earlier: number | undefined): number | undefined =>
      earlier !== undefined && earlier <= records && ms > 0 ? ((records - earlier) * 1000) / ms : undefined
    const source = ({ uid, records, pausedMs }: SourceMetrics): PassedRecords => {
      const earlier = before?.metrics.sources.find((each) => each.uid === uid)
      const ranMs = runningMs - (before?.metrics.runningMs ?? 0)
      const heldShare = ranMs > 0 ? Math.min(1, Math.max(0, pausedMs - (earlier?.pausedMs ?? 0)) / ranMs) : 0
      return { uid, records, perSecond: rate(records, earlier?.records), heldShare }
    }
    const sink = ({ uid, records, full, unconfirmedCommits }: SinkMetrics): TopFigures['sinks'][number] => {
      const held = (this.held.get(uid) ?? 0) + (full ? 1 : 0)
      this.held.set(uid, held)
      const earlier = before?.metrics.sinks.find((each) => each.uid === uid)
      return { uid, records, perSecond: rate(records, earlier?.records), heldShare: held / this.looks, unconfirmedCommits }
    }
    const figures: TopFigures = {
      atMs,
      job,
      runningMs,
      watchedMs: atMs - this.first,
      state:
        sources.length > 0 && sources.every(({ finished }) => finished) ? 'input ended' : sources.some(({ paused }) => paused) ? 'paused' : 'running',
      sources: sources.map(source),
      sinks: sinks.map(sink),
      operators: operators.map(({ uid, watermark, watermarkLagMs, rows, dropped }) => ({
        uid,
        watermark,
        watermarkLagMs,
        rows: Object.values(rows).reduce((sum, count) => sum + count, 0),
        dropped: dropped.reduce((sum, { records }) => sum + records, 0),
      })),
      checkpoints,
      errors: errors.slice(0, errorsMax),
    }
    this.before = look
    return figures
  }
}
