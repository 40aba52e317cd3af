/**
 * Timers of an operator: per key and namespace, in event time and in processing time.
 *
 * **Invariants** At most one timer per key, namespace, domain and time. Timers fire in the order of their times; one that is
 * registered while others fire, and is due, joins in; one that is deleted before its turn does not fire. Timers are state: they
 * are rows in the checkpoint. Event time has reached its new value before the first timer fires.
 */

import type { Cancel } from '../clock.js'
import { json, stateCodec } from '../codec.js'
import { StreamError } from '../errors.js'
import type { Key } from '../key.js'
import type { MachineContext } from '../machine.js'
import { DueRows } from './dueRows.js'
import type { EntryTable } from './entryTable.js'
import type { KeyedScope } from './keyedScope.js'
import type { Row } from './row.js'

export type TimeDomain = 'event' | 'processing'

/** What a user's function may ask of time. */
export interface Timers {
  /** The event time that the operator has reached; `-Infinity` at first. */
  readonly watermark: number
  /** The machine's time, in ms since 1970. */
  readonly processingMs: number
  /** Calls `onTimer` when event time has reached `at`. Registering twice is registering once. */
  eventTime(at: number): void
  processingTime(at: number): void
  deleteEventTime(at: number): void
  deleteProcessingTime(at: number): void
}

export type OnTimer = (domain: TimeDomain, at: number, namespace: Key | undefined) => void

interface Domain {
  readonly table: EntryTable<null>
  readonly due: DueRows<null>
}

export class TimerService implements Timers {
  private readonly event: Domain
  private readonly processing: Domain
  private firingUpToMs: number | undefined
  private armed: { readonly atMs: number; readonly cancel: Cancel } | undefined

  constructor(
    private readonly context: MachineContext<never>,
    private readonly scope: KeyedScope,
    /** The scope is that of the timer while it is called. */
    private readonly onTimer: OnTimer,
  ) {
    this.event = this.domain('eventTimers')
    this.processing = this.domain('processingTimers')
  }

  get watermark(): number {
    return this.context.watermark()
  }

  get processingMs(): number {
    return this.context.clock.nowMs()
  }

  eventTime(at: number): void {
    this.register(this.event, at)
  }

  processingTime(at: number): void {
    this.register(this.processing, at)
    this.arm()
  }

  deleteEventTime(at: number): void {
    this.remove(this.event, at)
  }

  deleteProcessingTime(at: number): void {
    this.remove(this.processing, at)
  }

  /** Timers of one domain, all keys. */
  count(domain: TimeDomain): number {
    return this[domain].table.size
  }

  *rows(domain: TimeDomain): IterableIterator<{ readonly key: Key; readonly namespace: Key | undefined; readonly at: number }> {
    for (const { key, namespace, entry } of this[domain].table.rows()) yield { key, namespace, at: entry as number }
  }

  /** The earliest moment of the machine's time that is waited for. */
  get nextProcessingMs(): number | undefined {
    return this.armed?.atMs
  }

  /** Event time has advanced. False where timers are left for the next slice. */
  advance(watermarkMs: number): boolean {
    return this.fire('event', watermarkMs)
  }

  /** State was restored: what is overdue in processing time fires before the first record. */
  open(): void {
    for (const domain of [this.event, this.processing]) for (const row of domain.table.rows()) domain.due.add(row.entry as number, row)
    const first = this.processing.due.first
    if (first === undefined) return
    if (first <= this.context.clock.nowMs()) this.context.post(() => this.fireProcessing())
    else this.arm()
  }

  private register({ table, due }: Domain, at: number): void {
    if (!Number.isSafeInteger(at)) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, timer: at })
    const { key, namespace } = this.scope
    if (table.get(key, namespace, at) === undefined) due.add(at, table.create(key, namespace, at, null))
  }

  private remove({ table, due }: Domain, at: number): void {
    const row = table.get(this.scope.key, this.scope.namespace, at)
    if (row === undefined) return
    table.remove(row)
    due.delete(at, row)
  }

  private fire(domain: TimeDomain, upToMs: number): boolean {
    const { table, due } = this[domain]
    const visit = (at: number, row: Row<null>): void => {
      if (!row.live) return
      table.remove(row)
      this.scope.enter(row.key, domain === 'event' ? at : undefined)
      this.scope.namespace = row.namespace
      this.onTimer(domain, at, row.namespace)
    }
    const all = due.advance(upToMs, visit, this.context.isSliceOver)
    this.scope.leave()
    return all
  }

  /** What is due when it begins; false where timers are left for the next slice. */
  private fireProcessing(): boolean {
    this.armed = undefined
    this.firingUpToMs ??= this.context.clock.nowMs()
    if (!this.fire('processing', this.firingUpToMs)) return false
    this.firingUpToMs = undefined
    this.arm()
    return true
  }

  /** One moment is waited for: the earliest. */
  private arm(): void {
    const first = this.processing.due.first
    if (first === undefined || this.firingUpToMs !== undefined || (this.armed !== undefined && this.armed.atMs <= first)) return
    this.armed?.cancel()
    this.armed = { atMs: first, cancel: this.context.callAt(first, () => this.fireProcessing()) }
  }

  private domain(table: string): Domain {
    return { table: this.context.entries({ table, state: 'timer', codec: stateCodec<null>(json<null>()) }), due: new DueRows() }
  }
}
