import { StreamError } from '../errors.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import type { Machine, MachineContext } from '../machine.js'
import { DueRows } from '../state/dueRows.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import type { Fold } from './fold.js'
import type { LateRecords } from './lateRecords.js'
import type { SlidingAssigner } from './sliding.js'
import { checkForm } from './storedForm.js'
import { windowStart } from './windowStart.js'

/** What a machine needs to know beside its tables. */
export interface FoldedOptions<T, A, M> {
  readonly assigner: SlidingAssigner
  readonly allowedLatenessMs: number
  readonly fold: Fold<T, A, M>
  /** Emits a figure of the window that starts at `start`. */
  readonly emit: (figure: M, key: Key, start: number) => void
  readonly late: LateRecords
}

/** Windows of event time that do not overlap, one accumulator each: the short way. A record costs one look-up. */
export class TumblingMachine<T, A, M> implements Machine<T> {
  private readonly due = new DueRows<A>()
  readonly putsOff = true
  private readonly form: string
  // Fields of its own: they are read for every record.
  private readonly sizeMs: number
  private readonly offsetMs: number
  private readonly allowedLatenessMs: number
  private readonly fold: Fold<T, A, M>

  constructor(
    private readonly context: MachineContext<never>,
    private readonly options: FoldedOptions<T, A, M>,
    private readonly windows: RowTable<A>,
  ) {
    const { assigner, allowedLatenessMs, fold } = options
    this.form = `aggregates of ${assigner.sizeMs} ms`
    this.sizeMs = assigner.sizeMs
    this.offsetMs = assigner.offsetMs
    this.allowedLatenessMs = allowedLatenessMs
    this.fold = fold
  }

  snapshotState(): Json {
    return this.form
  }

  restoreState(stored: Json): void {
    checkForm(this.context.uid, stored, this.form)
  }

  /** When something is due follows from the windows themselves, so it is not stored. */
  open(): void {
    for (const row of this.windows.rows()) this.schedule(row)
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    const start = windowStart(timestamp, this.sizeMs, this.offsetMs)
    const watermark = this.context.watermark()
    const lastMs = start + this.sizeMs - 1
    if (lastMs + this.allowedLatenessMs <= watermark) return this.options.late.add(value, timestamp)
    let row = this.windows.find(key as Key, start)
    if (row !== undefined) this.windows.write(row, this.fold.add(row.value, value))
    else {
      row = this.windows.create(key as Key, start, this.fold.first(value))
      this.schedule(row)
    }
    if (lastMs <= watermark) this.emit(row)
  }

  processWatermark(timestampMs: number): boolean {
    const visit = (timeMs: number, row: Row<A>): void => {
      const lastMs = this.lastOf(row)
      if (timeMs === lastMs) this.emit(row)
      if (timeMs === lastMs + this.allowedLatenessMs) this.windows.remove(row)
    }
    return this.due.advance(timestampMs, visit, this.context.isSliceOver)
  }

  private schedule(row: Row<A>): void {
    const lastMs = this.lastOf(row)
    if (lastMs > this.context.watermark()) this.due.add(lastMs, row)
    this.due.add(lastMs + this.allowedLatenessMs, row)
  }

  private emit(row: Row<A>): void {
    this.options.emit(this.fold.result(row.value), row.key, row.namespace as number)
  }

  private lastOf(row: Row<A>): number {
    return (row.namespace as number) + this.sizeMs - 1
  }
}
