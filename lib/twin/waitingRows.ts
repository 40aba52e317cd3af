/**
 * Rows that wait for the clock, and the event time that waits for them.
 *
 * **Invariants** A row is called back once the clock has reached its time, in the order of times: what is overdue comes before the
 * next record, and after a restore before the first. Event time that was let out is below that of every row that holds it back, so
 * nothing becomes late by waiting.
 *
 * **Fault model** The clock calls back late, or not before the next record; a run begins long after the one before it has ended.
 */
import type { Cancel } from '../clock.js'
import type { MachineContext } from '../machine.js'
import { DueRows } from '../state/dueRows.js'
import type { Row } from '../state/row.js'

export class WaitingRows<S> {
  private readonly due = new DueRows<S>()
  private readonly times = new DueRows<S>()
  private armed: { readonly atMs: number; readonly cancel: Cancel } | undefined

  constructor(
    private readonly context: MachineContext<never>,
    /** Called with a row that is live, the time that it waited for, and what time it is. It may wait again. */
    private readonly reached: (row: Row<S>, atMs: number, nowMs: number) => void,
    /** Called when all that was due is done. */
    private readonly done: () => void = () => {},
  ) {}

  /** What time it is; what is overdue comes first. Asked for once a record. */
  now(): number {
    const nowMs = this.nowMs
    const { first } = this.due
    // What is due in this very millisecond leaves room for the records of the same one.
    if (first !== undefined && first < nowMs) this.callUpTo(nowMs - 1)
    return nowMs
  }

  add(atMs: number, row: Row<S>): void {
    this.due.add(atMs, row)
    if (this.armed === undefined || atMs < this.armed.atMs) this.arm()
  }

  delete(atMs: number, row: Row<S>): void {
    this.due.delete(atMs, row)
  }

  /** The event time that waits for a value, if it has one and is not late already. */
  holdable(timestamp: number | undefined): number | undefined {
    return timestamp !== undefined && timestamp > this.context.watermark() ? timestamp : undefined
  }

  /** Event time stays below `heldMs` until the row is let go of. */
  hold(heldMs: number | undefined, row: Row<S>): void {
    if (heldMs !== undefined) this.times.add(heldMs, row)
  }

  letGo(heldMs: number | undefined, row: Row<S>): void {
    if (heldMs !== undefined) this.times.delete(heldMs, row)
  }

  /** Event time goes on, as far as nothing that is held becomes late. The end of time waits for all: what has none may be given one behind. */
  letOut(): void {
    const { first } = this.times
    const reachedMs = this.context.watermark()
    if (first !== undefined && first <= reachedMs) this.context.emitWatermark(first - 1)
    else if (reachedMs !== Number.POSITIVE_INFINITY) this.context.emitWatermark(reachedMs)
  }

  /** The input has ended, and nothing is held any more. */
  end(): void {
    this.context.emitWatermark(this.context.watermark())
    this.context.emitEnd()
  }

  /** The rows that were restored have been added: what is overdue is called before the first record. */
  open(): void {
    const { first } = this.due
    if (first !== undefined && first <= this.nowMs) this.context.post(() => this.callUpTo(this.nowMs))
  }

  private get nowMs(): number {
    return Math.floor(this.context.clock.nowMs())
  }

  private callUpTo(upToMs: number): void {
    const { nowMs } = this
    this.due.advance(upToMs, (atMs, row) => {
      if (row.live) this.reached(row, atMs, nowMs)
    })
    this.letOut()
    this.done()
    this.arm()
  }

  /** One moment is waited for: the earliest. */
  private arm(): void {
    const { first } = this.due
    if (first === undefined || (this.armed !== undefined && this.armed.atMs <= first)) return
    this.armed?.cancel()
    this.armed = {
      atMs: first,
      cancel: this.context.callAt(first, () => {
        this.armed = undefined
        this.callUpTo(this.nowMs)
      }),
    }
  }
}
