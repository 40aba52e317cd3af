import type { Emitted } from './emits.js'
import type { KeyedOperatorState } from './keyedOperator.js'
import type { MachineContext, Receiver } from './machine.js'
import { type SideOutput, tagOf } from './sideOutput.js'
import type { Handles, StateDescriptors } from './state/descriptor.js'
import type { TimeDomain, Timers } from './state/timers.js'

/** What a function of a keyed operator sees beside the value. */
export interface KeyedContext<K, D, R> {
  readonly key: K
  /** The states of the current key. */
  readonly state: Handles<D>
  readonly timers: Timers
  /** The event time of the record, or of the timer. */
  readonly timestamp: number | undefined
  emit(...value: Emitted<R>): void
  emitTo<S>(side: SideOutput<S>, value: NoInfer<S>): void
}

/** What a timer sees: also which clock it followed. */
export interface TimerContext<K, D, R> extends KeyedContext<K, D, R> {
  readonly domain: TimeDomain
}

/** The one context object of a machine: it always shows the key that is current. Its functions may be taken out of it. */
export class KeyedView<K, D extends StateDescriptors, R> implements TimerContext<K, D, R> {
  domain: TimeDomain = 'event'
  readonly state: Handles<D>
  readonly timers: Timers
  private readonly sides = new Map<string, Receiver<never>>()

  constructor(
    protected readonly keyed: KeyedOperatorState<D>,
    protected readonly machineContext: MachineContext<R>,
  ) {
    this.state = keyed.handles
    this.timers = keyed.timers
  }

  get key(): K {
    return this.keyed.scope.key as K
  }

  get timestamp(): number | undefined {
    return this.keyed.scope.timestamp
  }

  readonly emit = (...[value]: Emitted<R>): void => {
    this.machineContext.output.processRecord(value as R, this.keyed.scope.timestamp, this.key)
  }

  readonly emitTo = <S>(side: SideOutput<S>, value: S): void => {
    const tag = tagOf(side)
    let receiver = this.sides.get(tag)
    if (receiver === undefined) {
      receiver = this.machineContext.side(side) as Receiver<never>
      this.sides.set(tag, receiver)
    }
    receiver.processRecord(value as never, this.keyed.scope.timestamp, undefined)
  }
}
