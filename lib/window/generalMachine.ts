/**
 * Windows in general: any assigner, trigger, evictor and function, merging or not.
 *
 * **Invariants** A window takes a record before its trigger sees it, and emits before it is freed. What a trigger remembers and
 * waits for stands under the window; what a session holds stands under its first window, so that growing moves nothing. Whether
 * a record is too late is asked of the session that it became part of.
 */
import type { DropCount } from '../droppedRecords.js'
import { ConfigurationError, StreamError } from '../errors.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import { KeyedOperatorState } from '../keyedOperator.js'
import type { Machine, MachineContext } from '../machine.js'
import type { StateDescriptors } from '../state/descriptor.js'
import type { KeptState } from '../state/stateHost.js'
import type { TimeDomain } from '../state/timers.js'
import type { Assigner } from './assigner.js'
import type { Contents } from './contents.js'
import type { LateRecords } from './lateRecords.js'
import { type Added, type Sessions, spanName, windowOfSpan } from './sessions.js'
import { checkForm } from './storedForm.js'
import { allTime, cleanupTime, type TimeWindow, timeWindow } from './timeWindow.js'
import { clearTrigger, type Decision, fires, type MergeContext, purges, type Trigger } from './trigger.js'

export interface GeneralOptions<T> {
  readonly assigner: Assigner<T>
  readonly trigger: Trigger<T>
  readonly allowedLatenessMs: number
  readonly late: LateRecords
  readonly contents: Contents<T>
  readonly sessions: Sessions | undefined
  /** How what windows hold is stored. */
  readonly form: string
  /** What the user's functions have of their own. */
  readonly user: {
    open(): void
    /** Expired state goes. */
    expire(): void
    /** A window is freed. */
    cleared(key: Key, window: TimeWindow): void
  }
}

/** The name of a window: by its start where all are of one size. */
export function windowNames<T>({ sizeMs, merging }: Assigner<T>): { nameOf(window: TimeWindow): Key; windowOf(name: Key): TimeWindow } {
  if (sizeMs === undefined || merging === true) return { nameOf: spanName, windowOf: (name) => windowOfSpan(name as string) }
  const windowOf = sizeMs === Number.POSITIVE_INFINITY ? () => allTime : (start: Key) => timeWindow(start as number, (start as number) + sizeMs)
  return { nameOf: ({ start }) => start, windowOf }
}

export class GeneralMachine<T> implements Machine<T> {
  private readonly keyed: KeyedOperatorState<StateDescriptors>
  private readonly seen: MergeContext<StateDescriptors>
  private readonly names: ReturnType<typeof windowNames>
  readonly putsOff = true
  private readonly unassigned: DropCount
  /** The windows that are being merged. */
  private merging: readonly Key[] = []

  constructor(
    private readonly context: MachineContext<never>,
    private readonly options: GeneralOptions<T>,
  ) {
    this.names = windowNames(options.assigner)
    this.unassigned = context.dropCount('noWindow')
    this.keyed = new KeyedOperatorState(context, options.trigger.state ?? {}, (domain, at, name) => this.onTimer(domain, at, name as Key), {
      prefix: 'trigger.',
      namespaced: true,
    })
    this.seen = { state: this.keyed.handles, timers: this.keyed.timers, mergeState: (name) => this.mergeState(name) }
  }

  snapshotState(): Json {
    return this.options.form
  }

  restoreState(stored: Json): void {
    checkForm(this.context.uid, stored, this.options.form)
  }

  open(): void {
    this.options.contents.restored?.()
    this.options.sessions?.restored()
    this.options.user.open()
    this.keyed.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    const { assigner, sessions, late } = this.options
    this.keyed.enter(key, timestamp)
    let taken = false
    for (const assigned of assigner.assign(value, this.timeOf(timestamp))) {
      const added = sessions?.add(key as Key, assigned)
      if (added !== undefined && added.sources.length > 0) this.merge(key as Key, added)
      const window = added?.window ?? assigned
      if (this.isLate(window)) {
        sessions?.retire(key as Key, window)
        continue
      }
      taken = true
      this.take(value, timestamp, key as Key, window, added?.contents ?? this.names.nameOf(window))
    }
    if (taken) return
    if (this.isRecordLate(timestamp)) late.add(value, timestamp)
    else this.unassigned.records += 1
  }

  processWatermark(timestampMs: number): boolean {
    if (!this.keyed.advance(timestampMs)) return false
    this.options.user.expire()
    return true
  }

  private take(value: T, timestamp: number | undefined, key: Key, window: TimeWindow, contents: Key): void {
    this.options.contents.add(key, contents, value, timestamp)
    this.keyed.scope.namespace = this.names.nameOf(window)
    this.act(this.options.trigger.onElement(value, timestamp, window, this.seen), key, window, contents)
    const { time } = this.options.assigner
    const atMs = this.cleanupOf(window)
    if (atMs === Number.POSITIVE_INFINITY) return
    if (time === 'event') this.keyed.timers.eventTime(atMs)
    else this.keyed.timers.processingTime(atMs)
  }

  private act(decision: Decision, key: Key, window: TimeWindow, contents: Key): void {
    if (fires(decision)) this.options.contents.show(key, contents, window)
    if (purges(decision)) this.options.contents.clear(key, contents)
  }

  private onTimer(domain: TimeDomain, atMs: number, name: Key): void {
    const { trigger, sessions, assigner } = this.options
    const { key } = this.keyed.scope
    const window = this.names.windowOf(name)
    const contents = sessions === undefined ? name : sessions.contentsOf(key, window)
    // A session that became part of another: what it waited for is no longer of interest.
    if (contents === undefined) return
    const decision = domain === 'event' ? trigger.onEventTime?.(atMs, window, this.seen) : trigger.onProcessingTime?.(atMs, window, this.seen)
    this.act(decision ?? 'continue', key, window, contents)
    if (domain === assigner.time && atMs === this.cleanupOf(window)) this.free(key, window, contents)
  }

  private free(key: Key, window: TimeWindow, contents: Key): void {
    this.options.contents.clear(key, contents)
    clearTrigger(this.options.trigger, window, this.seen)
    this.options.user.cleared(key, window)
    this.options.sessions?.retire(key, window)
  }

  private merge(key: Key, { window, contents, sources, absorbed }: Added): void {
    const { trigger, assigner } = this.options
    this.keyed.scope.namespace = spanName(window)
    this.merging = sources.map(spanName)
    trigger.onMerge?.(window, this.seen)
    for (const source of sources) {
      this.keyed.scope.namespace = spanName(source)
      clearTrigger(trigger, source, this.seen)
      if (assigner.time === 'event') this.keyed.timers.deleteEventTime(this.cleanupOf(source))
      else this.keyed.timers.deleteProcessingTime(this.cleanupOf(source))
    }
    this.options.contents.merge(key, contents, absorbed)
  }

  private mergeState(name: string): void {
    const state = this.keyed.handles[name] as unknown as KeptState | undefined
    if (state?.mergeInto === undefined) throw new ConfigurationError('TRIGGER_CANNOT_MERGE', { uid: this.context.uid, state: name })
    state.mergeInto(this.keyed.scope.namespace as Key, this.merging)
  }

  private timeOf(timestamp: number | undefined): number {
    if (this.options.assigner.time !== 'event') return Math.floor(this.context.clock.nowMs())
    if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { uid: this.context.uid, found: timestamp })
    return timestamp
  }

  private isLate(window: TimeWindow): boolean {
    return this.options.assigner.time === 'event' && this.cleanupOf(window) <= this.context.watermark()
  }

  private isRecordLate(timestamp: number | undefined): boolean {
    const { assigner, allowedLatenessMs } = this.options
    return assigner.time === 'event' && (timestamp as number) + allowedLatenessMs <= this.context.watermark()
  }

  private cleanupOf(window: TimeWindow): number {
    const { assigner, allowedLatenessMs } = this.options
    if (assigner.time === 'none') return Number.POSITIVE_INFINITY
    return cleanupTime(window, assigner.time === 'event' ? allowedLatenessMs : 0)
  }
}
