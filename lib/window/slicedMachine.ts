import { StreamError } from '../errors.js'
import type { Json } from '../json.js'
import { type Key, type MapKey, mapKey } from '../key.js'
import type { Machine, MachineContext } from '../machine.js'
import { DueRows } from '../state/dueRows.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import type { SlidingAssigner } from './sliding.js'
import { checkForm } from './storedForm.js'
import type { FoldedOptions } from './tumblingMachine.js'
import { windowStart } from './windowStart.js'

/** More slices from one window to the next are not worth while: then nearly every record has its own. */
const slicesPerSlideMax = 16

/** The width of slices that windows share; undefined where sharing does not pay. */
export function sliceWidth({ sizeMs, slideMs }: SlidingAssigner): number | undefined {
  let [width, rest] = [sizeMs, slideMs]
  while (rest > 0) [width, rest] = [rest, width % rest]
  return slideMs < sizeMs && slideMs / width <= slicesPerSlideMax ? width : undefined
}

/**
 * Windows of event time that overlap: each record is folded once, into a slice that its windows share; a window is merged of
 * its slices when it emits.
 *
 * **Invariants** A slice is due once at a time: at the ends of the windows that hold it, one after the other, then when the last
 * of them is freed. So a key that has a slice in a window emits when it ends, and one that has none does not.
 */
export class SlicedMachine<T, A, M> implements Machine<T> {
  private readonly due = new DueRows<A>()
  readonly putsOff = true
  private readonly form: string
  /** The keys that have emitted for the window that ends at `emittedAt`: several of their slices are due together. */
  private readonly emitted = new Set<MapKey>()
  private emittedAt = Number.NaN

  constructor(
    private readonly context: MachineContext<never>,
    private readonly options: FoldedOptions<T, A, M>,
    private readonly widthMs: number,
    private readonly slices: RowTable<A>,
  ) {
    this.form = `slices of ${widthMs} ms for windows of ${options.assigner.sizeMs} ms every ${options.assigner.slideMs} ms`
  }

  snapshotState(): Json {
    return this.form
  }

  restoreState(stored: Json): void {
    checkForm(this.context.uid, stored, this.form)
  }

  open(): void {
    for (const row of this.slices.rows()) this.schedule(row)
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    const { assigner, fold, late, allowedLatenessMs } = this.options
    const newest = assigner.startOf(timestamp)
    const watermark = this.context.watermark()
    if (newest + assigner.sizeMs - 1 + allowedLatenessMs <= watermark) return late.add(value, timestamp)
    const start = windowStart(timestamp, this.widthMs, assigner.offsetMs)
    const row = this.slices.find(key as Key, start)
    if (row !== undefined) this.slices.write(row, fold.add(row.value, value))
    else this.schedule(this.slices.create(key as Key, start, fold.first(value)))
    if (timestamp <= watermark) this.emitLate(key as Key, timestamp, newest, watermark)
  }

  processWatermark(timestampMs: number): boolean {
    const { allowedLatenessMs, assigner } = this.options
    const visit = (timeMs: number, row: Row<A>): void => {
      const finalMs = this.finalOf(row)
      if (timeMs <= finalMs) this.emitOnce(timeMs, row.key)
      if (timeMs === finalMs + allowedLatenessMs) this.slices.remove(row)
      else this.due.add(timeMs < finalMs ? timeMs + assigner.slideMs : finalMs + allowedLatenessMs, row)
    }
    return this.due.advance(timestampMs, visit, this.context.isSliceOver)
  }

  /** Windows that have emitted and are not freed emit again, the newest first. */
  private emitLate(key: Key, timestamp: number, newest: number, watermark: number): void {
    const { allowedLatenessMs, assigner } = this.options
    for (let start = newest; start > timestamp - assigner.sizeMs; start -= assigner.slideMs) {
      const lastMs = start + assigner.sizeMs - 1
      if (lastMs + allowedLatenessMs <= watermark) return
      if (lastMs <= watermark) this.emit(key, start)
    }
  }

  private schedule(row: Row<A>): void {
    const { allowedLatenessMs, assigner } = this.options
    const slice = row.namespace as number
    const watermark = this.context.watermark()
    const finalMs = this.finalOf(row)
    if (finalMs <= watermark) return this.due.add(finalMs + allowedLatenessMs, row)
    // The first window that holds the slice and has not ended.
    const oldest = windowStart(slice + this.widthMs - assigner.sizeMs + assigner.slideMs - 1, assigner.slideMs, assigner.offsetMs)
    const firstMs = oldest + assigner.sizeMs - 1
    const passed = firstMs > watermark ? 0 : Math.floor((watermark - firstMs) / assigner.slideMs) + 1
    this.due.add(firstMs + passed * assigner.slideMs, row)
  }

  private emitOnce(lastMs: number, key: Key): void {
    if (lastMs !== this.emittedAt) this.emitted.clear()
    this.emittedAt = lastMs
    const at = mapKey(key)
    if (this.emitted.has(at)) return
    this.emitted.add(at)
    this.emit(key, lastMs + 1 - this.options.assigner.sizeMs)
  }

  private emit(key: Key, start: number): void {
    const { fold, emit } = this.options
    const merge = fold.merge as (a: A, b: A) => A
    const [first, ...others] = this.slicesOf(key, start)
    let merged = (first as Row<A>).value
    for (const { value } of others) merged = merge(merged, value)
    emit(fold.result(merged), key, start)
  }

  /** The slices of a window in order: of those that the key has, or of those that there may be, whichever are fewer. */
  private slicesOf(key: Key, start: number): Row<A>[] {
    const end = start + this.options.assigner.sizeMs
    const slicesMax = this.options.assigner.sizeMs / this.widthMs
    const within: Row<A>[] = []
    let walked = 0
    for (let row = this.slices.get(key); row !== undefined; row = row.next) {
      if ((walked += 1) > slicesMax) return this.lookedUp(key, start, end)
      const slice = row.namespace as number
      if (slice >= start && slice < end) within.push(row)
    }
    return within.sort((a, b) => (a.namespace as number) - (b.namespace as number))
  }

  private lookedUp(key: Key, start: number, end: number): Row<A>[] {
    const within: Row<A>[] = []
    for (let slice = start; slice < end; slice += this.widthMs) {
      const row = this.slices.find(key, slice)
      if (row !== undefined) within.push(row)
    }
    return within
  }

  /** The last event time of the last window that holds a slice. */
  private finalOf(row: Row<A>): number {
    const { assigner } = this.options
    return assigner.startOf(row.namespace as number) + assigner.sizeMs - 1
  }
}
