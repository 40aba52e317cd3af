import type { StateCodec } from '../codec.js'
import type { AnyKeyOperator } from '../element.js'
import { operatorUid } from '../identity.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import { KeyedOperatorState } from '../keyedOperator.js'
import type { Machine, MachineContext } from '../machine.js'
import { operate } from '../operate.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { freezeDeep } from '../state/freeze.js'
import { checkedTtl, type Ttl } from '../state/ttl.js'
import { beforeTheEnd } from './beforeTheEnd.js'
import { type RowState, rowState } from './rowState.js'

/** What a twin writes to; the words are those of the RxJS operator that it is the twin of. */
export interface TwinOutput<R> {
  next(value: R): void
  /** Nothing more comes of this key. Of a stream without keys nothing more comes at all, so its end goes on at once. */
  complete(): void
}

/** A twin: what RxJS's operator does with a value, and where it keeps what it remembers in a variable. */
export interface TwinSpec<T, S, R> {
  readonly name: string
  readonly uid: string
  readonly codec: StateCodec<S>
  readonly ttl: Ttl | undefined
  /** Shared by all keys: outside production it is frozen, as state is. */
  readonly seed?: unknown
  /** Takes a value, and answers what is remembered next. The very state that it was given, or none: nothing has changed. */
  next(state: S | undefined, value: T, out: TwinOutput<R>): S | undefined
  /** Before the first record of a stream without keys. */
  begin?(out: TwinOutput<R>): void
  /** The input has ended: of each key that has come, and once of a stream without keys, whether anything came or not. */
  complete?(state: S | undefined, out: TwinOutput<R>): void
}

/**
 * Makes a recoverable twin of an operator of RxJS.
 *
 * With keys it is RxJS's `groupBy` with the operator in each group; without, the operator itself. The results of the end are
 * emitted when the input ends or the job is drained, and what made them is forgotten with it: each record counts in one of them.
 * A job that has ended ends again without them; one that was drained goes on with nothing remembered.
 */
export function twin<T, S, R>(spec: TwinSpec<T, S, R>): AnyKeyOperator<T, R> {
  if (spec.ttl !== undefined) checkedTtl(spec.ttl)
  return operate<T, R>({ name: spec.name, uid: operatorUid(spec.uid), create: (context) => new TwinMachine(context, spec) })
}

class TwinMachine<T, S, R> implements Machine<T>, TwinOutput<R> {
  private readonly kept: KeyedOperatorState<{ readonly state: StateDescriptor<RowState<S>> }>
  private readonly state: RowState<S>
  private readonly keyed: boolean
  private readonly expires: boolean
  private key: unknown
  private timestamp: number | undefined
  /** The end went on before the input ended. What still comes is left. */
  private completed = false

  constructor(
    private readonly context: MachineContext<R>,
    private readonly spec: TwinSpec<T, S, R>,
  ) {
    this.kept = KeyedOperatorState.withoutTimers(beforeTheEnd(context as unknown as MachineContext<never>), { state: rowState(spec.codec, spec.ttl) })
    this.state = this.kept.handles.state
    this.keyed = context.keyed
    this.expires = spec.ttl !== undefined
    if (context.development) freezeDeep(spec.seed)
  }

  open(): void {
    this.kept.open()
    if (this.keyed) return
    if (this.completed) this.context.post(() => this.endOutput())
    else if (this.spec.begin !== undefined) this.context.post(() => this.spec.begin?.(this))
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    if (this.completed) return
    this.key = key
    this.timestamp = timestamp
    // State of a stream without keys belongs to no key: it is kept under one of its own.
    const at = this.keyed ? (key as Key) : null
    // Only what expires asks what time it is.
    if (this.expires) this.kept.enter(at, timestamp)
    const row = this.state.find(at)
    const before = row?.value
    const next = this.spec.next(before, value, this)
    if (next !== before && next !== undefined) this.state.write(row, next, at)
  }

  processWatermark(): void {
    this.kept.expire()
  }

  endOfInput(): void {
    if (this.spec.complete === undefined || this.completed) return
    if (this.keyed) {
      for (const row of this.state.drain()) this.completeOne(row.key, row.value)
      return
    }
    let last: S | undefined
    for (const row of this.state.drain()) last = row.value
    this.completeOne(undefined, last)
  }

  snapshotState(): Json {
    return this.completed
  }

  restoreState(stored: Json): void {
    this.completed = stored === true
  }

  next(value: R): void {
    this.context.output.processRecord(value, this.timestamp, this.key)
  }

  complete(): void {
    if (this.keyed) return
    this.completed = true
    this.endOutput()
  }

  private completeOne(key: Key | undefined, state: S | undefined): void {
    this.key = key
    this.timestamp = undefined
    this.spec.complete?.(state, this)
  }

  private endOutput(): void {
    this.context.emitWatermark(Number.POSITIVE_INFINITY)
    this.context.emitEnd()
  }
}
