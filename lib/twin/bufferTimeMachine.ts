/**
 * RxJS's `bufferTime`, per key, in a checkpoint.
 *
 * **Invariants** The values of a key are numbered, and each is stored once, however many buffers it is in: a buffer is the number with
 * which it began, and holds everything from there. A value stays as long as an open buffer holds it.
 */
import { json, type StateCodec, stateCodec } from '../codec.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import type { Machine, MachineContext } from '../machine.js'
import type { EntryTable } from '../state/entryTable.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import { HeldLimit } from './heldLimit.js'
import { later, type TimedValue, timedCodec } from './timedValue.js'
import { WaitingRows } from './waitingRows.js'

export interface BufferTimes {
  readonly spanMs: number
  readonly creationIntervalMs: number | undefined
  readonly bufferSizeMax: number
  readonly heldValuesMax: number
}

interface Buffer {
  /** The number of its first value. */
  readonly from: number
  readonly dueMs: number
  /** The event time of its first value that was not late: event time waits for it. */
  readonly heldMs?: number
}

const isBuffer = (row: Row<Buffer | number>): row is Row<Buffer> => typeof row.value !== 'number'

export class BufferTimeMachine<T> implements Machine<T> {
  private readonly values: EntryTable<TimedValue<T>>
  private readonly buffers: EntryTable<Buffer>
  /** Of each key, when its next buffer opens, where they open at intervals. */
  private readonly creations: RowTable<number>
  private readonly waiting: WaitingRows<Buffer | number>
  private readonly limit: HeldLimit
  /** The end has emitted all that was open. */
  private ended = false

  constructor(
    private readonly context: MachineContext<T[]>,
    private readonly times: BufferTimes,
    values: StateCodec<T>,
  ) {
    const machineContext = context as unknown as MachineContext<never>
    this.values = context.entries({ table: 'values', state: 'values', codec: timedCodec(values) })
    this.buffers = context.entries({ table: 'buffers', state: 'buffers', codec: stateCodec<Buffer>(json<Buffer>()) })
    this.creations = context.rows({ table: 'creations', state: 'creations', codec: stateCodec<number>(json<number>()) })
    this.limit = new HeldLimit(machineContext, times.heldValuesMax)
    this.waiting = new WaitingRows(machineContext, (row, atMs, nowMs) => {
      if (isBuffer(row)) this.emit(row, nowMs)
      else this.openAnother(row as Row<number>, atMs, nowMs)
    })
  }

  open(): void {
    this.values.order()
    this.buffers.order()
    for (const row of this.buffers.rows()) {
      this.waiting.add(row.value.dueMs, row)
      this.waiting.hold(row.value.heldMs, row)
    }
    for (const row of this.creations.rows()) this.waiting.add(row.value, row)
    this.limit.update(this.values.size)
    if (!this.context.keyed && !this.ended && !this.hasBegun(null)) this.begin(null, this.waiting.now())
    this.waiting.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    const nowMs = this.waiting.now()
    // What belongs to no key is kept under one of its own.
    const at = this.context.keyed ? (key as Key) : null
    if (!this.hasBegun(at)) this.begin(at, nowMs)
    if (this.buffers.sizeOf(at, undefined) === 0) return
    const number = this.nextNumber(at)
    this.values.create(at, undefined, number, { timestamp, value })
    const heldMs = this.waiting.holdable(timestamp)
    if (heldMs !== undefined || this.times.bufferSizeMax !== Number.POSITIVE_INFINITY) this.joined(at, number, heldMs, nowMs)
    this.limit.update(this.values.size)
  }

  processWatermark(): void {
    this.waiting.letOut()
  }

  endOfInput(): void {
    this.ended = true
    for (const row of this.buffers.rows()) this.emit(row, undefined)
    for (const row of this.creations.rows()) this.creations.remove(row)
    this.waiting.end()
  }

  snapshotState(): Json {
    return this.ended
  }

  restoreState(stored: Json): void {
    this.ended = stored === true
  }

  close(): void {
    this.limit.lift()
  }

  /** A value has joined the open buffers of its key. */
  private joined(key: Key, number: number, heldMs: number | undefined, nowMs: number): void {
    for (const row of this.buffers.entries(key, undefined)) {
      // One that opened because another one was full begins with the next value.
      if (row.value.from > number) break
      if (heldMs !== undefined && row.value.heldMs === undefined) {
        this.buffers.write(row, { ...row.value, heldMs })
        this.waiting.hold(heldMs, row)
      }
      if (number - row.value.from + 1 >= this.times.bufferSizeMax) this.emit(row, nowMs)
    }
    this.waiting.letOut()
  }

  private hasBegun(key: Key): boolean {
    return this.times.creationIntervalMs === undefined ? this.buffers.sizeOf(key, undefined) > 0 : this.creations.get(key) !== undefined
  }

  /** As at the subscription in RxJS: of a stream with keys, at the first value of the key. */
  private begin(key: Key, nowMs: number): void {
    const { creationIntervalMs } = this.times
    if (creationIntervalMs !== undefined) {
      const row = this.creations.create(key, undefined, nowMs + creationIntervalMs)
      this.waiting.add(row.value, row)
    }
    this.startBuffer(key, nowMs)
  }

  private startBuffer(key: Key, nowMs: number): void {
    const buffer = { from: this.nextNumber(key), dueMs: nowMs + this.times.spanMs }
    const row = this.buffers.create(key, undefined, this.buffers.nextNumber(key, undefined), buffer)
    this.waiting.add(buffer.dueMs, row)
  }

  /** A time that comes much too late is not made up for: the next one counts from now. */
  private openAnother(row: Row<number>, atMs: number, nowMs: number): void {
    const everyMs = this.times.creationIntervalMs as number
    const nextMs = atMs + everyMs > nowMs ? atMs + everyMs : nowMs + everyMs
    this.startBuffer(row.key, nowMs)
    this.creations.write(row, nextMs)
    this.waiting.add(nextMs, row)
  }

  /** Without a time, it is the end: no other buffer follows. */
  private emit(row: Row<Buffer>, nowMs: number | undefined): void {
    const { key } = row
    const { from, dueMs, heldMs } = row.value
    const buffer: T[] = []
    let timestamp: number | undefined
    for (const { entry, value } of this.values.entries(key, undefined)) {
      if ((entry as number) < from) continue
      buffer.push(value.value)
      timestamp = later(timestamp, value.timestamp)
    }
    const next = this.nextNumber(key)
    this.buffers.remove(row)
    this.waiting.delete(dueMs, row)
    this.waiting.letGo(heldMs, row)
    this.forget(key, next)
    if (nowMs !== undefined && this.times.creationIntervalMs === undefined) this.startBuffer(key, nowMs)
    this.context.output.processRecord(buffer, timestamp, this.context.keyed ? key : undefined)
  }

  /** Values that no open buffer holds. */
  private forget(key: Key, next: number): void {
    const [oldest] = this.buffers.entries(key, undefined)
    const from = oldest?.value.from ?? next
    for (const row of this.values.entries(key, undefined)) {
      if ((row.entry as number) >= from) break
      this.values.remove(row)
    }
    this.limit.update(this.values.size)
  }

  /** The number of the next value. Where there are none, every open buffer is empty, and begins with it. */
  private nextNumber(key: Key): number {
    const next = this.values.nextNumber(key, undefined)
    if (next > 0) return next
    let from = 0
    for (const { value } of this.buffers.entries(key, undefined)) from = value.from
    return from
  }
}
