import type { DriftMember } from '../lib/driftGroup.js'
import type { AnyKeyOperator } from '../lib/element.js'
import { StreamError } from '../lib/errors.js'
import type { Json } from '../lib/json.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import { storedTime, timeStored } from '../lib/storedTime.js'
import type { WatermarkGenerator, WatermarkStrategy } from '../lib/watermarkStrategy.js'

/**
 * Gives each record its event time, and the stream its watermarks.
 *
 * Watermarks from further up end here, except for the end of time.
 *
 * **When to use** once, near the source, before windows and event-time timers.
 * **State** the largest event time seen, and whether the stream is idle, under a name made of the operator's position.
 *
 * @param options - `timestamp`: whole ms since 1970 of a value; `watermarks`: {@link boundedOutOfOrderness} or {@link monotonousTimestamps}
 * @throws StreamError `TIMESTAMP_INVALID` for anything but a whole number
 * @example Event time from the record
 * ```ts
 * const timed = assignTimestamps({ timestamp: (at: number) => at, watermarks: monotonousTimestamps() })
 * const times: unknown[] = []
 * await collect(of(10, 20).pipe(records(), timed, tapValues((_at, { timestamp }) => times.push(timestamp))))
 * times // => [10, 20]
 * ```
 * @category progress
 * @since 0.1.0
 */
export const assignTimestamps = <T>({
  timestamp,
  watermarks,
}: {
  readonly timestamp: (value: T) => number
  readonly watermarks: WatermarkStrategy
}): AnyKeyOperator<T, T> =>
  operate<T, T>({ name: 'assignTimestamps', time: 'own', remembers: true, create: (context) => new TimestampMachine(context, timestamp, watermarks) })

/** How often an idle stream is looked for, at most. */
const idleCheckMs = 200

class TimestampMachine<T> implements Machine<T> {
  private readonly generator: WatermarkGenerator
  private emittedMs = Number.NEGATIVE_INFINITY
  private idle = false
  private active = false
  private quietSinceMs: number | undefined
  private readonly group: DriftMember | undefined

  constructor(
    private readonly context: MachineContext<T>,
    private readonly timestamp: (value: T) => number,
    private readonly strategy: WatermarkStrategy,
  ) {
    this.generator = strategy.create()
    if (strategy.align !== undefined) this.group = context.driftGroup(strategy.align.group, strategy.align.maxDriftMs)
  }

  open(): void {
    // The group forgets with the run: who was idle would be waited for, and for ever where no record comes.
    if (this.idle) this.group?.idle(true)
    this.group?.advance(this.emittedMs)
    const { idleAfterMs } = this.strategy
    if (idleAfterMs !== undefined) this.checkIdle(idleAfterMs)
  }

  processRecord(value: T, _timestamp: number | undefined, key: unknown): void {
    const timestampMs = this.timestamp(value)
    if (!Number.isSafeInteger(timestampMs)) throw new StreamError('TIMESTAMP_INVALID', { operator: this.context.uid, found: timestampMs })
    this.active = true
    if (this.idle) this.becomeIdle(false)
    this.context.output.processRecord(value, timestampMs, key)
    const watermarkMs = this.generator.onRecord(timestampMs)
    if (watermarkMs <= this.emittedMs) return
    this.emittedMs = watermarkMs
    this.context.emitWatermark(watermarkMs)
    this.group?.advance(watermarkMs)
  }

  /** The end of time counts for an idle stream too: it is active again before it. */
  processWatermark(timestampMs: number): void {
    if (timestampMs !== Number.POSITIVE_INFINITY) return
    if (this.idle) this.becomeIdle(false)
    this.group?.leave()
  }

  close(): void {
    this.group?.leave()
  }

  isIdle(): boolean {
    return this.idle
  }

  snapshotState(): Json {
    return { generator: this.generator.snapshot(), emitted: storedTime(this.emittedMs), idle: this.idle }
  }

  /** Event time goes on from the instance that is furthest behind. */
  joinStates(states: readonly Json[]): Json {
    const emittedMs = (state: Json): number => timeStored((state as { emitted: Json }).emitted)
    return states.reduce((behind, state) => (emittedMs(state) < emittedMs(behind) ? state : behind))
  }

  restoreState(stored: Json): void {
    const { generator, emitted, idle } = stored as { generator: Json; emitted: Json; idle: boolean }
    this.generator.restore(generator)
    this.emittedMs = timeStored(emitted)
    this.idle = idle
  }

  /**
   * The clock of idleness starts at the first look without a record since the last one. It stands still while the sources are kept waiting, as
   * that of Flink does (`PausableRelativeClock`): what they have then is not late when it comes.
   */
  private checkIdle(idleAfterMs: number): void {
    const { clock } = this.context
    this.context.callAt(clock.nowMs() + Math.min(idleCheckMs, idleAfterMs), () => {
      const freeMs = clock.nowMs() - this.context.heldMs()
      if (this.active) this.quietSinceMs = undefined
      else if (this.quietSinceMs === undefined) this.quietSinceMs = freeMs
      else if (!this.idle && freeMs - this.quietSinceMs > idleAfterMs) this.becomeIdle(true)
      this.active = false
      this.checkIdle(idleAfterMs)
    })
  }

  private becomeIdle(idle: boolean): void {
    this.idle = idle
    this.context.emitStatus(idle)
    this.group?.idle(idle)
  }
}
