import { invariant } from './errors.js'
import type { Key } from './key.js'
import type { MachineContext } from './machine.js'
import type { Redistribution } from './restore/redistribution.js'
import { type Handles, openState, openStates, type StateDescriptor, type StateDescriptors } from './state/descriptor.js'
import { Expiry } from './state/expiry.js'
import { KeyedScope } from './state/keyedScope.js'
import type { RowStore, RowTableOptions } from './state/rowStore.js'
import type { KeptState, StateHost } from './state/stateHost.js'
import { type OnTimer, TimerService } from './state/timers.js'
import type { CheckedTtl } from './state/ttl.js'

/** Whom state belongs to: a key, one instance of the operator, or the operator, which has the same in every instance. */
type StateOwner = 'key' | 'instance' | 'broadcast'

/** Only lists say how they are put together and cut. */
function redistributionOf(owner: StateOwner, { redistribution }: Pick<RowTableOptions<never>, 'redistribution'>): Redistribution | undefined {
  if (owner === 'key') return undefined
  return owner === 'broadcast' ? 'whole' : (redistribution ?? 'single')
}

/**
 * What every operator with named keyed state and timers is made of: the current key, the handles, the timers, and expiry.
 *
 * A machine calls `enter` before it lets a user's function see a record, `advance` when event time advances, and `open` once.
 */
export class KeyedOperatorState<D extends StateDescriptors> {
  readonly scope = new KeyedScope()
  private readonly timerService: TimerService | undefined
  readonly handles: Handles<D>
  private readonly kept: ReadonlyMap<string, KeptState>
  private readonly byEventTime: Expiry<never>[] = []
  /** Where some rows more are looked at with each record. */
  private readonly byRecord: Expiry<never>[] = []
  private readonly host: StateHost

  constructor(
    private readonly context: MachineContext<never>,
    private readonly descriptors: D,
    onTimer: OnTimer | undefined,
    { namespaced = false, prefix = '', owner = 'key' }: { readonly namespaced?: boolean; readonly prefix?: string; readonly owner?: StateOwner } = {},
  ) {
    if (onTimer !== undefined) this.timerService = new TimerService(context, this.scope, onTimer)
    this.host = {
      scope: this.scope,
      uid: context.uid,
      namespaced,
      rows: (options) => context.rows({ ...options, table: prefix + options.table, redistribution: redistributionOf(owner, options) }),
      entries: (options) => context.entries({ ...options, table: prefix + options.table, redistribution: redistributionOf(owner, options) }),
      timesOf: (ttl) => (ttl === undefined ? { evictable: true } : this.timesOf(ttl)),
      expiry: (ttl, table) => this.expiry(ttl, table),
    }
    const { handles, kept } = openStates(descriptors, this.host)
    this.handles = handles
    this.kept = kept
  }

  /** State that has no timers: of the broadcast side, or of an operator without keys. */
  static withoutTimers<D extends StateDescriptors>(
    context: MachineContext<never>,
    descriptors: D,
    options: { readonly prefix?: string; readonly owner?: StateOwner } = {},
  ): KeyedOperatorState<D> {
    return new KeyedOperatorState(context, descriptors, undefined, options)
  }

  get timers(): TimerService {
    invariant(this.timerService !== undefined, 'only an operator with timers is asked for them')
    return this.timerService
  }

  /** State of the operator's own, beside that of its user. Call it while the machine is made. */
  own<H>(name: string, descriptor: StateDescriptor<H>): H & KeptState {
    const handle = openState(descriptor, name, this.host) as H & KeptState
    ;(this.kept as Map<string, KeptState>).set(name, handle)
    return handle
  }

  open(): void {
    for (const state of this.kept.values()) state.restored?.()
    this.timerService?.open()
  }

  enter(key: unknown, timestamp: number | undefined): void {
    this.scope.enter(key as Key, timestamp)
    if (this.byRecord.length > 0) for (const expiry of this.byRecord) expiry.lookFurther()
  }

  /** Event time has advanced: timers fire, then what has expired goes. False where some of it is left for the next slice. */
  advance(watermarkMs: number): boolean {
    if (this.timerService?.advance(watermarkMs) === false) return false
    for (const expiry of this.byEventTime) if (!expiry.sweep(this.context.isSliceOver)) return false
    return true
  }

  /** What has expired by event time goes. */
  expire(): void {
    for (const expiry of this.byEventTime) expiry.sweep()
  }

  /** Visits every key that has a state, with its handle. */
  forEachKey(descriptor: StateDescriptor, visit: (key: Key, handle: unknown) => void): void {
    const found = Object.entries(this.descriptors).find(([, each]) => each === descriptor)
    const state = found === undefined ? undefined : this.kept.get(found[0])
    if (state === undefined) return
    for (const key of new Set(state.keysWithState())) {
      this.scope.enter(key, undefined)
      visit(key, state)
    }
    this.scope.leave()
  }

  private timesOf(ttl: CheckedTtl): ReturnType<StateHost['timesOf']> {
    const nowMs = this.nowOf(ttl)
    const { afterMs, cleanupFullSnapshot: ofSnapshots, cleanupInCompactFilter: ofMerges } = ttl
    return {
      time: ttl.time === 'processing' ? nowMs : () => Math.max(nowMs(), this.scope.timestamp ?? Number.NEGATIVE_INFINITY),
      leftOut: ofSnapshots || ofMerges ? { afterMs, nowMs, ofSnapshots, ofMerges } : undefined,
      // The index finds what has expired through its row.
      evictable: ttl.cleanup !== 'index',
    }
  }

  private nowOf({ time }: CheckedTtl): () => number {
    return time === 'processing' ? () => this.context.clock.nowMs() : () => this.context.watermark()
  }

  private expiry<S>(ttl: CheckedTtl, table: RowStore<S>): Expiry<S> {
    let armed: { readonly atMs: number; readonly cancel: () => void } | undefined
    const arm = (atMs: number): void => {
      if (ttl.time === 'event' || (armed !== undefined && armed.atMs <= atMs)) return
      armed?.cancel()
      armed = {
        atMs,
        cancel: this.context.callAt(atMs, () => {
          armed = undefined
          // The rest is due at once again: until then it is hidden, as any other that has expired.
          expiry.sweep(this.context.isSliceOver)
        }),
      }
    }
    const expiry = new Expiry<S>(ttl, this.nowOf(ttl), table, arm)
    if (typeof ttl.cleanup === 'object' && ttl.cleanup.runForEveryRecord === true) this.byRecord.push(expiry as unknown as Expiry<never>)
    if (ttl.time === 'event') this.byEventTime.push(expiry as unknown as Expiry<never>)
    return expiry
  }
}
