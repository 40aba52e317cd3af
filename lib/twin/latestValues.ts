import type { StateCodec } from '../codec.js'
import type { Key } from '../key.js'
import { KeyedOperatorState } from '../keyedOperator.js'
import type { MachineContext } from '../machine.js'
import type { StateDescriptor } from '../state/descriptor.js'
import type { Ttl } from '../state/ttl.js'
import { beforeTheEnd } from './beforeTheEnd.js'
import { type RowState, rowState } from './rowState.js'
import { later, type TimedValue, timedCodec } from './timedValue.js'

type Kept = RowState<TimedValue<unknown>>

/** The last value of each of several streams, per key. */
export class LatestValues {
  private readonly kept: KeyedOperatorState<{ readonly [stream: string]: StateDescriptor<Kept> }>
  private readonly states: readonly Kept[]
  /** Of what was appended, the latest event time. */
  timestamp: number | undefined

  constructor(context: MachineContext<never>, codecs: readonly StateCodec<unknown>[], ttl: Ttl | undefined) {
    const names = codecs.map((_, index) => `latest${index}`)
    this.kept = KeyedOperatorState.withoutTimers(
      beforeTheEnd(context),
      Object.fromEntries(codecs.map((codec, index) => [names[index], rowState(timedCodec(codec), ttl)])),
    )
    this.states = names.map((name) => this.kept.handles[name] as Kept)
  }

  open(): void {
    this.kept.open()
  }

  enter(key: Key, timestamp: number | undefined): void {
    this.kept.enter(key, timestamp)
    this.timestamp = timestamp
  }

  keep(stream: number, value: unknown, timestamp: number | undefined): void {
    const state = this.states[stream] as Kept
    state.write(state.find(), { value, timestamp })
  }

  /** Appends the last value of each stream; false while one of them has brought none. */
  appendTo(values: unknown[]): boolean {
    for (const state of this.states) {
      const row = state.find()
      if (row === undefined) return false
      values.push(row.value.value)
      this.timestamp = later(this.timestamp, row.value.timestamp)
    }
    return true
  }

  expire(): void {
    this.kept.expire()
  }

  forget(): void {
    for (const state of this.states) for (const _row of state.drain());
  }
}
