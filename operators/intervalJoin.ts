import type { Observable } from 'rxjs'
import { type CodecOf, json, stateCodec } from '../lib/codec.js'
import type { KeyedOperatorOn, StreamElement } from '../lib/element.js'
import { ConfigurationError, StreamError } from '../lib/errors.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import { DueRows } from '../lib/state/dueRows.js'
import type { EntryTable } from '../lib/state/entryTable.js'
import type { Row } from '../lib/state/row.js'
import { LateRecords } from '../lib/window/lateRecords.js'

export interface IntervalJoinOptions<T, U, LateT, LateU> {
  /** A record of the second stream joins one of the first from this many ms after it (negative: before it) … */
  readonly lowerMs: number
  /** … to this many. */
  readonly upperMs: number
  readonly lowerExclusive?: boolean
  readonly upperExclusive?: boolean
  /** Take what comes too late to find all its partners. Without them it is counted and dropped. */
  readonly lateFirst?: SideOutput<LateT>
  readonly lateSecond?: SideOutput<LateU>
  /** What the records look like; default plain data as tagged JSON. */
  readonly first?: CodecOf<T>
  readonly second?: CodecOf<U>
}

/** What the join function sees of a pair. */
export interface PairContext<K> {
  readonly key: K
  readonly firstTimestamp: number
  readonly secondTimestamp: number
}

/**
 * Joins the records of two keyed streams whose event times lie close to each other.
 *
 * Flink's interval join. A result carries the later of the two event times.
 *
 * **When to use** for "a click within a minute of the impression". It needs event time on both streams.
 * **State** the records that may still find a partner, owned by `uid`; event time frees them.
 * **Barrier** an input that has delivered it is held back until both have; then as {@link processKeyed}.
 *
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` unless both streams have keys
 * @throws StreamError `TIMESTAMP_INVALID` for a record without event time
 * @example Pairs within two milliseconds
 * ```ts
 * const second = of(3, 9).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'))
 * const pairs = intervalJoin('pairs', second, { lowerMs: -2, upperMs: 2 }, (a: number, b: number) => [a, b])
 * await collect(of(1, 5).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'), pairs)) // => [[1, 3], [5, 3]]
 * ```
 * @category windows
 * @since 0.2.0
 */
export function intervalJoin<T, U, R, At extends Key = Key, LateT = unknown, LateU = unknown>(
  uid: string,
  other: Observable<StreamElement<U, NoInfer<At>>>,
  options: IntervalJoinOptions<T, U, LateT, LateU>,
  join: (first: T, second: U, pair: PairContext<At>) => R,
): KeyedOperatorOn<T, At, R> {
  const lower = options.lowerMs + (options.lowerExclusive === true ? 1 : 0)
  const upper = options.upperMs - (options.upperExclusive === true ? 1 : 0)
  if (!Number.isSafeInteger(lower) || !Number.isSafeInteger(upper) || lower > upper)
    throw new ConfigurationError('OPTION_INVALID', {
      uid,
      option: 'lowerMs',
      found: [options.lowerMs, options.upperMs],
      expected: 'whole milliseconds, the lower bound not above the upper',
    })
  const sides = [options.lateFirst, options.lateSecond].filter((side) => side !== undefined) as unknown as readonly SideOutput<never>[]
  return operate<T | U, R>(
    {
      name: 'intervalJoin',
      uid: operatorUid(uid),
      keyed: true,
      connects: [0, 1],
      sides,
      create: (context) => new IntervalJoinMachine<T, U, R, At>(context, { lower, upper }, options as never, join),
    },
    [other],
  ) as KeyedOperatorOn<T, At, R>
}

/** One stream's records that wait for partners, by key and event time. */
interface Side {
  readonly table: EntryTable<readonly unknown[]>
  /** Rows by the time that event time has to reach until nothing can join them any more. */
  readonly due: DueRows<readonly unknown[]>
  readonly free: (at: number, row: Row<readonly unknown[]>) => void
  /** Partners of a record at time t stand from `t + from` to `t + to`. */
  readonly from: number
  readonly to: number
  readonly late: LateRecords
}

class IntervalJoinMachine<T, U, R, At extends Key> implements Machine<T | U> {
  /** Earlier checkpoints hold a timer for each row. */
  private readonly formerTimers: EntryTable<null>
  readonly putsOff = true
  private readonly sides: readonly [Side, Side]

  constructor(
    private readonly context: MachineContext<R>,
    { lower, upper }: { readonly lower: number; readonly upper: number },
    options: IntervalJoinOptions<unknown, unknown, unknown, unknown>,
    private readonly join: (first: T, second: U, pair: PairContext<At>) => R,
  ) {
    this.formerTimers = context.entries({ table: 'eventTimers', state: 'timer', codec: stateCodec<null>(json<null>()) })
    const side = (name: string, codec: CodecOf<unknown> | undefined, from: number, to: number, late: LateRecords): Side => {
      const table = context.entries({
        table: name,
        state: name,
        codec: stateCodec<readonly unknown[]>(codec === undefined ? json() : listOf(codec), { uid: context.uid, state: name }),
      })
      return { table, due: new DueRows(), free: (_at, row) => table.remove(row), from, to, late }
    }
    const late = (to: SideOutput<unknown> | undefined): LateRecords =>
      new LateRecords(context as unknown as MachineContext<never>, to as SideOutput<never> | undefined, 'behindJoin')
    this.sides = [
      side('first', options.first, lower, upper, late(options.lateFirst)),
      side('second', options.second, -upper, -lower, late(options.lateSecond)),
    ]
  }

  /** When a row is of no more use follows from the row itself, so it is not stored. */
  open(): void {
    for (const row of this.formerTimers.rows()) this.formerTimers.remove(row)
    for (const side of this.sides) for (const row of side.table.rows()) schedule(side, row)
  }

  processRecord(value: T | U, timestamp: number | undefined, key: unknown, input = 0): void {
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    const own = this.sides[input] as Side
    const other = this.sides[1 - input] as Side
    if (timestamp < this.context.watermark()) return own.late.add(value, timestamp)
    this.keep(own, key as Key, timestamp, value)
    for (const row of this.partners(other, key as Key, timestamp + own.from, timestamp + own.to)) {
      for (const partner of row.value) this.emit(input, value, timestamp, partner, row)
    }
  }

  processWatermark(timestampMs: number): boolean {
    for (const { due, free } of this.sides) if (!due.advance(timestampMs, free, this.context.isSliceOver)) return false
    return true
  }

  private keep(side: Side, key: Key, timestamp: number, value: unknown): void {
    const { table } = side
    const row = table.get(key, undefined, timestamp)
    if (row !== undefined) table.write(row, [...row.value, value])
    else schedule(side, table.create(key, undefined, timestamp, [value]))
  }

  /** Most keys have few rows: in range there is mostly one, or none. */
  private partners({ table }: Side, key: Key, from: number, to: number): readonly Row<readonly unknown[]>[] {
    const inRange: Row<readonly unknown[]>[] = []
    for (const row of table.entries(key, undefined)) if ((row.entry as number) >= from && (row.entry as number) <= to) inRange.push(row)
    return inRange.length < 2 ? inRange : inRange.sort((a, b) => (a.entry as number) - (b.entry as number))
  }

  private emit(input: number, value: unknown, timestamp: number, partner: unknown, { key, entry }: Row<readonly unknown[]>): void {
    const partnerTimestamp = entry as number
    const result =
      input === 0
        ? this.join(value as T, partner as U, { key: key as At, firstTimestamp: timestamp, secondTimestamp: partnerTimestamp })
        : this.join(partner as T, value as U, { key: key as At, firstTimestamp: partnerTimestamp, secondTimestamp: timestamp })
    this.context.output.processRecord(result, Math.max(timestamp, partnerTimestamp), key)
  }
}

/** A record is of use as long as one may come that joins it, and until event time has reached its own. */
const schedule = ({ due, to }: Side, row: Row<readonly unknown[]>): void => due.add((row.entry as number) + Math.max(to, 0), row)

/** A codec of lists, of a codec of their elements. */
function listOf(codec: CodecOf<unknown>): CodecOf<readonly unknown[]> {
  const each = stateCodec(codec)
  return {
    version: each.version,
    encode: (values: readonly unknown[]) => values.map((value) => each.toText(value)),
    decode: (stored: unknown) => (stored as string[]).map((text) => each.fromText(text, each.version)),
  }
}
