import { type CodecOf, json, type Restorable, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { ConfigurationError } from '../../lib/errors.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import { atLeast } from '../../lib/limits.js'
import type { Machine, MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { EntryTable } from '../../lib/state/entryTable.js'
import type { Row } from '../../lib/state/row.js'
import { HeldLimit } from '../../lib/twin/heldLimit.js'
import { type HeldValue, heldCodec } from '../../lib/twin/heldValue.js'
import { WaitingRows } from '../../lib/twin/waitingRows.js'
import { waitMs } from '../../lib/twin/waitMs.js'

export type DelayOptions<T, C> = DelayUntil & {
  /** So many values wait at a time; then the sources pause. Default 100,000. */
  readonly heldValuesMax?: number
  /** What a value that is kept looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly value?: C & CodecOf<T> & Restorable<C>
}

/** How long each value waits, or until when all wait that come before. */
export type DelayUntil = { readonly dueMs: number; readonly dueAt?: never } | { readonly dueAt: Date; readonly dueMs?: never }

/**
 * Emits each value a while later, as RxJS's `delay` does.
 *
 *     in   --a--b--1--|         letters are records, digits are barriers
 *     out  -------a1-b|         for five dashes
 *
 * **When to use** in place of `delay`, with keys or without. The clock is that of the run.
 * **State** the values that wait, each with the time at which it goes on, owned by `uid`. What is overdue after a restore goes on, in order,
 * before the first record. The end of the input waits for all of them.
 * **Event time** a result carries that of its record; a watermark that would make a value late waits until that one has gone on.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `dueMs` or `dueAt`: RxJS's `due`; `heldValuesMax`: how many wait; `value`: what a value looks like
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example A little later
 * ```ts
 * await collect(of('a', 'b').pipe(records(), durable.delay('later', { dueMs: 5 }))) // => ['a', 'b']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function delay<T, C = unknown>(uid: string, options: DelayOptions<T, C>): AnyKeyOperator<T, T> {
  const { heldValuesMax = 100_000 } = options
  const dueOf = dueTime(options)
  atLeast('heldValuesMax', heldValuesMax, 1)
  const codec = heldCodec(stateCodec<T>((options.value ?? json()) as CodecOf<T>, { uid, state: 'held' }))
  return operate<T, T>({
    name: 'delay',
    uid: operatorUid(uid),
    time: 'held',
    create: (context) => new DelayMachine(context, dueOf, heldValuesMax, context.entries({ table: 'held', state: 'held', codec })),
  })
}

function dueTime({ dueMs, dueAt }: DelayUntil): (nowMs: number) => number {
  if (dueAt === undefined) {
    waitMs('dueMs', dueMs)
    return (nowMs) => nowMs + dueMs
  }
  const atMs = dueAt.getTime()
  if (Number.isNaN(atMs)) throw new ConfigurationError('OPTION_INVALID', { option: 'dueAt', found: 'Invalid Date', expected: 'a date' })
  return (nowMs) => Math.max(nowMs, atMs)
}

class DelayMachine<T> implements Machine<T> {
  private readonly waiting: WaitingRows<HeldValue<T>>
  private readonly limit: HeldLimit
  /** Values are numbered, so that those of one millisecond keep their order across a restore. */
  private next = 0
  private ending = false

  constructor(
    private readonly context: MachineContext<T>,
    private readonly dueOf: (nowMs: number) => number,
    heldValuesMax: number,
    private readonly table: EntryTable<HeldValue<T>>,
  ) {
    const machineContext = context as unknown as MachineContext<never>
    this.limit = new HeldLimit(machineContext, heldValuesMax)
    this.waiting = new WaitingRows(
      machineContext,
      (row) => this.emit(row),
      () => this.settle(),
    )
  }

  open(): void {
    const rows = [...this.table.rows()].sort((a, b) => (a.entry as number) - (b.entry as number))
    for (const row of rows) this.wait(row)
    this.next = ((rows.at(-1)?.entry as number | undefined) ?? -1) + 1
    this.limit.update(this.table.size)
    this.waiting.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    const dueMs = this.dueOf(this.waiting.now())
    const held = { dueMs, heldMs: this.waiting.holdable(timestamp), timestamp, value }
    // What belongs to no key is kept under one of its own.
    this.wait(this.table.create(this.context.keyed ? (key as Key) : null, undefined, this.next, held))
    this.next += 1
    this.limit.update(this.table.size)
  }

  processWatermark(): void {
    this.waiting.letOut()
  }

  endOfInput(): void {
    this.ending = true
    this.settle()
  }

  close(): void {
    this.limit.lift()
  }

  private wait(row: Row<HeldValue<T>>): void {
    this.waiting.add(row.value.dueMs, row)
    this.waiting.hold(row.value.heldMs, row)
  }

  private emit(row: Row<HeldValue<T>>): void {
    const { value, timestamp, heldMs } = row.value
    this.waiting.letGo(heldMs, row)
    this.table.remove(row)
    this.context.output.processRecord(value, timestamp, this.context.keyed ? row.key : undefined)
  }

  /** Some have gone on. */
  private settle(): void {
    this.limit.update(this.table.size)
    if (!this.ending || this.table.size > 0) return
    this.waiting.end()
  }
}
