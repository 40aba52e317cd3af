import { type CodecOf, json, type Restorable, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import type { Machine, MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { Row } from '../../lib/state/row.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import { type HeldValue, heldCodec } from '../../lib/twin/heldValue.js'
import { WaitingRows } from '../../lib/twin/waitingRows.js'
import { waitMs } from '../../lib/twin/waitMs.js'

export interface DebounceTimeOptions<T, C> {
  /** How long no other value may come. */
  readonly dueMs: number
  /** What a value that is kept looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly value?: C & CodecOf<T> & Restorable<C>
}

/**
 * Emits a value once no other has come for a while, as RxJS's `debounceTime` does.
 *
 *     in   --a--b-----1--c--|      letters are records, digits are barriers
 *     out  --------b--1-----c|
 *
 * **When to use** in place of `debounceTime`; with keys, for each key. The clock is that of the run.
 * **State** the last value of each key, with the time at which it goes on, owned by `uid`. What is overdue after a restore goes on before
 * the first record.
 * **Event time** a result carries that of its record; a watermark that would make a value late waits until that one has gone on.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `dueMs`: RxJS's `dueTime`; `value`: what a value looks like
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example The end of the input does not wait
 * ```ts
 * const typed = durable.debounceTime('typed', { dueMs: 300 })
 * await collect(of('r', 'rx', 'rxw').pipe(records(), typed)) // => ['rxw']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function debounceTime<T, C = unknown>(uid: string, options: DebounceTimeOptions<T, C>): AnyKeyOperator<T, T> {
  const { dueMs } = options
  waitMs('dueMs', dueMs)
  const codec = heldCodec(stateCodec<T>((options.value ?? json()) as CodecOf<T>, { uid, state: 'last' }))
  return operate<T, T>({
    name: 'debounceTime',
    uid: operatorUid(uid),
    time: 'held',
    create: (context) => new DebounceMachine(context, dueMs, context.rows({ table: 'last', state: 'last', codec })),
  })
}

class DebounceMachine<T> implements Machine<T> {
  private readonly waiting: WaitingRows<HeldValue<T>>

  constructor(
    private readonly context: MachineContext<T>,
    private readonly dueMs: number,
    private readonly table: RowTable<HeldValue<T>>,
  ) {
    this.waiting = new WaitingRows(context as unknown as MachineContext<never>, (row, atMs) => {
      // As in RxJS, a value that follows another one does not begin to wait anew: it is looked at when the wait of the first is over.
      if (row.value.dueMs > atMs) this.waiting.add(row.value.dueMs, row)
      else this.emit(row)
    })
  }

  open(): void {
    for (const row of this.table.rows()) {
      this.waiting.add(row.value.dueMs, row)
      this.waiting.hold(row.value.heldMs, row)
    }
    this.waiting.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    const dueMs = this.waiting.now() + this.dueMs
    const heldMs = this.waiting.holdable(timestamp)
    const last = { dueMs, heldMs, timestamp, value }
    // What belongs to no key is kept under one of its own.
    const at = this.context.keyed ? (key as Key) : null
    const row = this.table.get(at)
    if (row === undefined) {
      const first = this.table.create(at, undefined, last)
      this.waiting.add(dueMs, first)
      this.waiting.hold(heldMs, first)
    } else {
      this.waiting.letGo(row.value.heldMs, row)
      this.waiting.hold(heldMs, row)
      this.table.write(row, last)
      this.waiting.letOut()
    }
  }

  processWatermark(): void {
    this.waiting.letOut()
  }

  endOfInput(): void {
    for (const row of this.table.rows()) this.emit(row)
    this.waiting.end()
  }

  private emit(row: Row<HeldValue<T>>): void {
    const { value, timestamp, heldMs } = row.value
    this.waiting.letGo(heldMs, row)
    this.table.remove(row)
    this.context.output.processRecord(value, timestamp, this.context.keyed ? row.key : undefined)
  }
}
