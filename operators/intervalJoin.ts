import type { Observable } from 'rxjs'
import { type CodecOf, json, stateCodec } from '../lib/codec.js'
import type { KeyedOperatorOn, StreamElement } from '../lib/element.js'
import { ConfigurationError, StreamError } from '../lib/errors.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
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
  readonly namespace: string
  /** Partners of a record at time t stand from `t + from` to `t + to`. */
  readonly from: number
  readonly to: number
  readonly late: LateRecords
}

class IntervalJoinMachine<T, U, R, At extends Key> implements Machine<T | U> {
  private readonly keyed: KeyedOperatorState<Record<never, never>>
  readonly putsOff = true
  private readonly sides: readonly [Side, Side]

  constructor(
    private readonly context: MachineContext<R>,
    { lower, upper }: { readonly lower: number; readonly upper: number },
    options: IntervalJoinOptions<unknown, unknown, unknown, unknown>,
    private readonly join: (first: T, second: U, pair: PairContext<At>) => R,
  ) {
    this.keyed = new KeyedOperatorState(context as unknown as MachineContext<never>, {}, (_domain, at, namespace) => this.free(at, namespace))
    const table = (name: string, codec: CodecOf<unknown> | undefined): EntryTable<readonly unknown[]> =>
      context.entries({
        table: name,
        state: name,
        codec: stateCodec<readonly unknown[]>(codec === undefined ? json() : listOf(codec), { uid: context.uid, state: name }),
      })
    const late = (side: SideOutput<unknown> | undefined): LateRecords =>
      new LateRecords(context as unknown as MachineContext<never>, side as SideOutput<never> | undefined, 'behindJoin')
    this.sides = [
      { table: table('first', options.first), namespace: 'first', from: lower, to: upper, late: late(options.lateFirst) },
      { table: table('second', options.second), namespace: 'second', from: -upper, to: -lower, late: late(options.lateSecond) },
    ]
  }

  open(): void {
    this.keyed.open()
  }

  processRecord(value: T | U, timestamp: number | undefined, key: unknown, input = 0): void {
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    const own = this.sides[input] as Side
    const other = this.sides[1 - input] as Side
    if (timestamp < this.context.watermark()) return own.late.add(value, timestamp)
    this.keyed.enter(key, timestamp)
    this.keep(own, key as Key, timestamp, value)
    for (const row of this.partners(other, key as Key, timestamp + own.from, timestamp + own.to)) {
      for (const partner of row.value) this.emit(input, value, timestamp, partner, row.entry as number)
    }
  }

  processWatermark(timestampMs: number): boolean {
    return this.keyed.advance(timestampMs)
  }

  private keep({ table, namespace, to }: Side, key: Key, timestamp: number, value: unknown): void {
    const row = table.get(key, undefined, timestamp)
    if (row !== undefined) table.write(row, [...row.value, value])
    else table.create(key, undefined, timestamp, [value])
    this.keyed.scope.namespace = namespace
    this.keyed.timers.eventTime(timestamp + Math.max(to, 0))
  }

  /** Most keys have few rows: in range there is mostly one, or none. */
  private partners({ table }: Side, key: Key, from: number, to: number): readonly Row<readonly unknown[]>[] {
    const inRange: Row<readonly unknown[]>[] = []
    for (const row of table.entries(key, undefined)) if ((row.entry as number) >= from && (row.entry as number) <= to) inRange.push(row)
    return inRange.length < 2 ? inRange : inRange.sort((a, b) => (a.entry as number) - (b.entry as number))
  }

  private emit(input: number, value: unknown, timestamp: number, partner: unknown, partnerTimestamp: number): void {
    const { key } = this.keyed.scope
    const [first, second] = input === 0 ? [value, partner] : [partner, value]
    const [firstTimestamp, secondTimestamp] = input === 0 ? [timestamp, partnerTimestamp] : [partnerTimestamp, timestamp]
    const result = this.join(first as T, second as U, { key: key as At, firstTimestamp, secondTimestamp })
    this.context.output.processRecord(result, Math.max(timestamp, partnerTimestamp), key)
  }

  /** Event time has passed all that could join the records of one moment. */
  private free(at: number, namespace: Key | undefined): void {
    const side = this.sides[namespace === 'first' ? 0 : 1]
    const row = side.table.get(this.keyed.scope.key, undefined, at - Math.max(side.to, 0))
    if (row !== undefined) side.table.remove(row)
  }
}

/** A codec of lists, of a codec of their elements. */
function listOf(codec: CodecOf<unknown>): CodecOf<readonly unknown[]> {
  const each = stateCodec(codec)
  return {
    version: each.version,
    encode: (values: readonly unknown[]) => values.map((value) => each.toText(value)),
    decode: (stored: unknown) => (stored as string[]).map((text) => each.fromText(text, each.version)),
  }
}
