import { type CodecOf, json, stateCodec } from '../lib/codec.js'
import type { KeyReadingOperator } from '../lib/element.js'
import { StreamError } from '../lib/errors.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { atLeast } from '../lib/limits.js'
import type { Machine, MachineContext, Receiver } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import { DueRows } from '../lib/state/dueRows.js'
import type { Row } from '../lib/state/row.js'
import type { RowTable } from '../lib/state/rowTable.js'
import type { Aggregate, Assigner } from '../lib/window.js'

export interface WindowContext<K> {
  readonly key: K
  readonly start: number
  /** The first event time behind the window. */
  readonly end: number
}

export interface WindowOptions<T, A, M, At, R, L> {
  readonly assigner: Assigner
  /** For so long after its end a window takes late records, and emits again for each. Default 0. */
  readonly allowedLatenessMs?: number
  /** Takes the records that come too late. Without it they are counted and dropped. */
  readonly late?: SideOutput<L>
  readonly aggregate: Aggregate<T, A, M>
  /** What the accumulator looks like; default plain data as tagged JSON. */
  readonly state?: CodecOf<A>
  readonly result?: (aggregate: M, window: WindowContext<At>) => R
}

/**
 * Folds the records of each key and window of event time into one result.
 *
 * A window emits when event time has passed its end; the result carries the last event time of the window.
 *
 * **When to use** for figures per minute, hour or day. It needs event time: put `assignTimestamps` before it.
 * **State** one accumulator per key and open window, owned by `uid`.
 * **Barrier** captures what changed, forwards the barrier, persists in the background, acknowledges.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` without `keyBy` before it
 * @throws StreamError `TIMESTAMP_INVALID` for a record without event time
 * @example Records per ten milliseconds
 * ```ts
 * const perTen = window('per-ten', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), result: (count, { start }) => [start, count] })
 * await collect(of(1, 5, 12).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'), perTen)) // => [[0, 2], [10, 1]]
 * ```
 * @category windows
 * @since 0.1.0
 */
export function window<T, A, M, At extends Key = Key, R = M, L = unknown>(
  uid: string,
  options: WindowOptions<T, A, M, At, R, L>,
): KeyReadingOperator<T, At, R, L> {
  const { allowedLatenessMs = 0, late } = options
  atLeast('allowedLatenessMs', allowedLatenessMs, 0)
  const codec = stateCodec<A>(options.state ?? json<A>(), { uid })
  return operate<T, R>({
    name: 'window',
    uid: operatorUid(uid),
    keyed: true,
    sides: late === undefined ? [] : [late as unknown as SideOutput<never>],
    create: (context) =>
      new WindowMachine(context, options, allowedLatenessMs, context.rows({ table: 'windows', state: 'accumulator', codec, namespaced: true })),
  }) as KeyReadingOperator<T, At, R, L>
}

class WindowMachine<T, A, M, At, R, L> implements Machine<T> {
  private readonly due = new DueRows<A>()
  private readonly late: Receiver<L> | undefined
  private dropped = 0

  constructor(
    private readonly context: MachineContext<R>,
    private readonly options: WindowOptions<T, A, M, At, R, L>,
    private readonly allowedLatenessMs: number,
    private readonly windows: RowTable<A>,
  ) {
    if (options.late !== undefined) this.late = context.side(options.late)
  }

  /** When something is due follows from the windows themselves, so it is not stored. */
  open(): void {
    for (const row of this.windows.rows()) this.schedule(row)
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    const { assigner, aggregate } = this.options
    const start = assigner.startOf(timestamp)
    const watermark = this.context.watermark()
    const lastMs = start + assigner.sizeMs - 1
    if (lastMs + this.allowedLatenessMs <= watermark) return this.tooLate(value, timestamp)
    let row = this.windows.find(key as Key, start)
    if (row !== undefined) this.windows.write(row, aggregate.add(row.value, value))
    else {
      row = this.windows.create(key as Key, start, aggregate.add(aggregate.create(), value))
      this.schedule(row)
    }
    if (lastMs <= watermark) this.emit(row)
  }

  processWatermark(timestampMs: number): void {
    this.due.advance(timestampMs, (timeMs, row) => {
      const lastMs = this.lastOf(row)
      if (timeMs === lastMs) this.emit(row)
      if (timeMs === lastMs + this.allowedLatenessMs) this.windows.remove(row)
    })
  }

  close(): void {
    if (this.dropped > 0) this.context.report({ kind: 'lateRecordsDropped', operator: this.context.uid, records: this.dropped })
  }

  private schedule(row: Row<A>): void {
    const lastMs = this.lastOf(row)
    if (lastMs > this.context.watermark()) this.due.add(lastMs, row)
    this.due.add(lastMs + this.allowedLatenessMs, row)
  }

  private emit(row: Row<A>): void {
    const { aggregate, assigner, result } = this.options
    const start = row.namespace as number
    const figure = aggregate.result(row.value)
    const shown = result === undefined ? (figure as unknown as R) : result(figure, { key: row.key as At, start, end: start + assigner.sizeMs })
    this.context.output.processRecord(shown, start + assigner.sizeMs - 1, row.key)
  }

  private tooLate(value: T, timestamp: number): void {
    if (this.late === undefined) this.dropped += 1
    else this.late.processRecord(value as unknown as L, timestamp, undefined)
  }

  private lastOf(row: Row<A>): number {
    return (row.namespace as number) + this.options.assigner.sizeMs - 1
  }
}
