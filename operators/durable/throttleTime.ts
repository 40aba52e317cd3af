import { type CodecOf, json, type Restorable, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import type { Machine, MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { Row } from '../../lib/state/row.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import { type Throttled, throttledCodec } from '../../lib/twin/throttled.js'
import { WaitingRows } from '../../lib/twin/waitingRows.js'
import { waitMs } from '../../lib/twin/waitMs.js'

export interface ThrottleTimeOptions<T, C> {
  /** How long no other value goes on. */
  readonly durationMs: number
  /** The value with which a wait begins goes on at once. Default yes. */
  readonly leading?: boolean
  /** The last value that came during a wait goes on at its end, and another wait begins. Default no. */
  readonly trailing?: boolean
  /** What a value that is kept looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly value?: C & CodecOf<T> & Restorable<C>
}

/**
 * Lets a value through and then none for a while, as RxJS's `throttleTime` does.
 *
 *     in   --a-b-c--1--d------|    letters are records, digits are barriers
 *     out  --a------1--d------|    for five dashes
 *
 * **When to use** in place of `throttleTime`; with keys, for each key. The clock is that of the run.
 * **State** of each key how long it waits and, with `trailing`, the last value, owned by `uid`. What is overdue after a restore goes on
 * before the first record. The end of the input waits for trailing values, as in RxJS.
 * **Event time** a result carries that of its record; a watermark that would make a value late waits until that one has gone on.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `durationMs`: RxJS's `duration`; `leading`, `trailing`: as there; `value`: what a value looks like
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example One click a second
 * ```ts
 * const clicks = durable.throttleTime('clicks', { durationMs: 1_000 })
 * await collect(of('first', 'second').pipe(records(), clicks)) // => ['first']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function throttleTime<T, C = unknown>(uid: string, options: ThrottleTimeOptions<T, C>): AnyKeyOperator<T, T> {
  const { durationMs, leading = true, trailing = false } = options
  waitMs('durationMs', durationMs)
  const codec = throttledCodec(stateCodec<T>((options.value ?? json()) as CodecOf<T>, { uid, state: 'throttled' }))
  return operate<T, T>({
    name: 'throttleTime',
    uid: operatorUid(uid),
    time: 'held',
    create: (context) =>
      new ThrottleMachine(context, { durationMs, leading, trailing }, context.rows({ table: 'throttled', state: 'throttled', codec })),
  })
}

class ThrottleMachine<T> implements Machine<T> {
  private readonly waiting: WaitingRows<Throttled<T>>
  /** Trailing values that wait. */
  private trailing = 0
  private ending = false

  constructor(
    private readonly context: MachineContext<T>,
    private readonly options: { readonly durationMs: number; readonly leading: boolean; readonly trailing: boolean },
    private readonly table: RowTable<Throttled<T>>,
  ) {
    this.waiting = new WaitingRows(
      context as unknown as MachineContext<never>,
      (row, _atMs, nowMs) => this.endThrottling(row, nowMs),
      () => this.endIfDone(),
    )
  }

  open(): void {
    for (const row of this.table.rows()) {
      this.waiting.add(row.value.untilMs, row)
      if (row.value.last === undefined) continue
      this.trailing += 1
      this.waiting.hold(row.value.last.heldMs, row)
    }
    this.waiting.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    const nowMs = this.waiting.now()
    // What belongs to no key is kept under one of its own.
    const at = this.context.keyed ? (key as Key) : null
    const row = this.table.get(at)
    if (row === undefined) {
      const untilMs = nowMs + this.options.durationMs
      const throttled = this.table.create(at, undefined, { untilMs, last: undefined })
      this.waiting.add(untilMs, throttled)
      if (this.options.leading) this.context.output.processRecord(value, timestamp, key)
      else if (this.options.trailing) this.keep(throttled, value, timestamp)
    } else if (this.options.trailing) this.keep(row, value, timestamp)
  }

  processWatermark(): void {
    this.waiting.letOut()
  }

  endOfInput(): void {
    this.ending = true
    this.endIfDone()
  }

  private keep(row: Row<Throttled<T>>, value: T, timestamp: number | undefined): void {
    const { last, untilMs } = row.value
    const heldMs = this.waiting.holdable(timestamp)
    if (last === undefined) this.trailing += 1
    else this.waiting.letGo(last.heldMs, row)
    this.waiting.hold(heldMs, row)
    this.table.write(row, { untilMs, last: { value, timestamp, heldMs } })
    if (last !== undefined) this.waiting.letOut()
  }

  /** The wait is over; what came last goes on and, while more may come, begins another one. */
  private endThrottling(row: Row<Throttled<T>>, nowMs: number): void {
    const { last } = row.value
    if (last === undefined || this.ending) this.table.remove(row)
    else {
      const untilMs = nowMs + this.options.durationMs
      this.table.write(row, { untilMs, last: undefined })
      this.waiting.add(untilMs, row)
    }
    if (last === undefined) return
    this.trailing -= 1
    this.waiting.letGo(last.heldMs, row)
    this.context.output.processRecord(last.value, last.timestamp, this.context.keyed ? row.key : undefined)
  }

  private endIfDone(): void {
    if (!this.ending || this.trailing > 0) return
    this.waiting.end()
  }
}
