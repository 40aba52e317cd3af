/** Windows as one would write them down: a list of records for each, looked at from the beginning each time. */
import type fc from 'fast-check'
import type { Observable } from 'rxjs'
import type { AnyStream, StreamElement } from '../lib/element.js'
import { type Key, type MapKey, mapKey } from '../lib/key.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { Assigner } from '../lib/window/assigner.js'
import { cleanupTime, type TimeWindow, timeWindow } from '../lib/window/timeWindow.js'

/** A window of one key, as what it emits may depend on it. */
export interface WindowSeen {
  readonly key: Key
  readonly start: number
  readonly end: number
}

export interface WindowUnderLaw<T, R> {
  /** Applies the operator, anew each time: windows of event time that emit at their end, and for each late record that they take. */
  apply(source: Observable<StreamElement<T, Key>>): AnyStream<R>
  /** The assigner and the lateness that it was given. */
  readonly assigner: Assigner<T>
  readonly allowedLatenessMs?: number
  readonly late?: SideOutput<T>
  readonly values: fc.Arbitrary<T>
  readonly key: (value: T) => Key
  readonly timestamp: (value: T) => number
  /** What a window emits that holds these records, in the order in which they came: the plainest way to say it. */
  readonly expected: (values: readonly T[], window: WindowSeen) => readonly R[]
}

/** A window that emits. */
export interface Fired<R> {
  readonly key: Key
  readonly lastMs: number
  readonly results: readonly R[]
}

interface Held<T> {
  readonly key: Key
  readonly window: TimeWindow
  readonly values: readonly T[]
}

export class WindowModel<T, R> {
  readonly late: T[] = []
  private readonly held = new Map<MapKey, Held<T>[]>()
  private watermarkMs = Number.NEGATIVE_INFINITY

  constructor(private readonly under: WindowUnderLaw<T, R>) {}

  record(value: T): readonly Fired<R>[] {
    const { assigner, key: keyOf, timestamp } = this.under
    const key = keyOf(value)
    const fired: Fired<R>[] = []
    let taken = false
    for (const window of assigner.assign(value, timestamp(value))) {
      const before = this.touching(key, window)
      const grown = before.reduce((all, each) => joined(all, each.window), window)
      if (this.cleanupOf(grown) <= this.watermarkMs) continue
      taken = true
      const after = { key, window: grown, values: [...before.flatMap(({ values }) => values), value] }
      this.held.set(mapKey(key), [...this.of(key).filter((each) => !before.includes(each)), after])
      if (grown.lastMs <= this.watermarkMs) fired.push(this.fire(after))
    }
    // Also one that belongs to no window: as far as event time goes, its windows are over.
    if (!taken && timestamp(value) + (this.under.allowedLatenessMs ?? 0) <= this.watermarkMs) this.late.push(value)
    return fired
  }

  watermark(timestampMs: number): readonly Fired<R>[] {
    const due = [...this.held.values()].flat().filter(({ window: { lastMs } }) => lastMs > this.watermarkMs && lastMs <= timestampMs)
    this.watermarkMs = timestampMs
    for (const [key, all] of this.held)
      this.held.set(
        key,
        all.filter(({ window }) => this.cleanupOf(window) > timestampMs),
      )
    return due.map((each) => this.fire(each))
  }

  private of(key: Key): readonly Held<T>[] {
    return this.held.get(mapKey(key)) ?? []
  }

  /** The windows that a record joins: the one of the same span, or where windows merge, all that touch it, the earliest first. */
  private touching(key: Key, { start, end }: TimeWindow): readonly Held<T>[] {
    const merging = this.under.assigner.merging === true
    const touches = ({ window }: Held<T>): boolean =>
      merging ? window.start <= end && start <= window.end : window.start === start && window.end === end
    return this.of(key)
      .filter(touches)
      .sort((a, b) => a.window.start - b.window.start)
  }

  private cleanupOf(window: TimeWindow): number {
    return cleanupTime(window, this.under.allowedLatenessMs ?? 0)
  }

  private fire({ key, window: { start, end, lastMs }, values }: Held<T>): Fired<R> {
    return { key, lastMs, results: this.under.expected(values, { key, start, end }) }
  }
}

const joined = (a: TimeWindow, b: TimeWindow): TimeWindow => timeWindow(Math.min(a.start, b.start), Math.max(a.end, b.end))
