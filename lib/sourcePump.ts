/**
 * Pulls records out of the sources and lets them into the graph, a slice at a time.
 *
 * **Invariants** Work that was posted (a barrier, a timer) runs between two records. While the run is under pressure no record is
 * let in, but posted work still runs. A long synchronous stretch gives the rest of the application its turn about every 8 ms.
 * Sources that have records let as many of them in as each other: whose turn is interrupted goes on with it, and then the next one has its own.
 * Otherwise one runs ahead of the others without end, and state that waits for their event time grows.
 */
import type { Clock } from './clock.js'
import type { Pacing } from './pacing.js'
import type { SourceBatch, SourceOffset, SourceReader } from './ports/replayableSource.js'
import type { RunSource } from './runSource.js'
import type { Slices } from './slices.js'
import { unwrap } from './task.js'

export interface PumpHost {
  readonly clock: Clock
  readonly pacing: Pacing
  readonly sourceBatchMax: number
  readonly slices: Slices
  /** Undefined, or a promise to wait for before more records are let in. */
  pressure(): Promise<void> | undefined
  /** An operator lets this source pause. */
  isPaused(uid: string): boolean
  /** It lets it pause for nothing but running ahead of others. */
  isOnlyAhead(uid: string): boolean
  sourceEnded(uid: string): void
  allEnded(): void
  fail(error: unknown): void
}

interface Feed {
  readonly stage: RunSource<unknown>
  readonly reader: SourceReader<unknown>
  batch: SourceBatch<unknown> | undefined
  index: number
  reading: boolean
  /** The source has said that it has no more. */
  exhausted: boolean
  /** It stands where the run is to stop. */
  arrived: boolean
}

/** Where to stop: asked for each source behind each record. */
export type StopPlace = (uid: string, offset: SourceOffset) => boolean

export class SourcePump {
  private readonly feeds: Feed[]
  /** Whose turn it is. */
  private at = 0
  /** How many records are left of a turn that was interrupted. */
  private left = 0
  private readonly posted: (() => void | Promise<void>)[] = []
  private wake: (() => void) | undefined
  private stopped = false
  private halted = false
  private told = false
  private place: { readonly isReached: StopPlace; readonly reached: () => void } | undefined

  constructor(
    sources: readonly { readonly stage: RunSource<unknown>; readonly reader: SourceReader<unknown> | undefined }[],
    private readonly host: PumpHost,
  ) {
    this.feeds = sources.flatMap(({ stage, reader }) =>
      reader === undefined ? [] : [{ stage, reader, batch: undefined, index: 0, reading: false, exhausted: false, arrived: false }],
    )
  }

  /** Runs work between two records, soon. */
  post(work: () => void | Promise<void>): void {
    this.posted.push(work)
    this.wake?.()
  }

  /** Reads no more. Posted work still runs. */
  halt(): void {
    this.halted = true
  }

  /** Lets each source in up to the first place of this kind; then `reached` runs, between two records. */
  haltAt(isReached: StopPlace, reached: () => void): void {
    this.place = { isReached, reached }
  }

  /** Ends the loop after the record under way. */
  stop(): void {
    this.stopped = true
    this.wake?.()
  }

  async run(): Promise<void> {
    const { clock, pacing } = this.host
    let sliceStartMs = clock.nowMs()
    let turns = 0
    try {
      while (!this.stopped) {
        if (await this.runPosted()) {
          sliceStartMs = clock.nowMs()
          turns = 0
        }
        const pressure = this.host.pressure()
        const progressed = pressure === undefined && !this.halted && this.turn()
        if (!this.stopped && !progressed) {
          if (this.posted.length === 0) await this.waitFor(pressure)
        }
        turns += 1
        if (turns < pacing.turnsPerSlice() && clock.nowMs() - sliceStartMs < pacing.sliceMs) continue
        await clock.yield()
        this.host.slices.begin()
        sliceStartMs = clock.nowMs()
        turns = 0
      }
    } catch (error) {
      this.host.fail(error)
    }
  }

  /** Runs what was posted, behind what was put off. True where others have had their turn in between. */
  private async runPosted(): Promise<boolean> {
    let yielded = await this.goOn()
    for (let work = this.posted.shift(); work !== undefined && !this.stopped; work = this.posted.shift()) {
      const done = work()
      if (done !== undefined) await done
      if (await this.goOn()) yielded = true
    }
    return yielded
  }

  /** Does what was put off, a slice at a time, while nothing new is let in. */
  private async goOn(): Promise<boolean> {
    const { slices, clock } = this.host
    if (!slices.held) return false
    while (slices.held && !this.stopped) {
      await clock.yield()
      slices.begin()
      if (!this.stopped) slices.goOn()
    }
    return true
  }

  /** Lets some records of each source in. False when there were none. */
  private turn(): boolean {
    let progressed = false
    for (let looked = 0; looked < this.feeds.length; looked += 1) {
      const feed = this.feeds[this.at] as Feed
      if (!this.hasArrived(feed) && feed.batch !== undefined && !this.waits(feed)) {
        this.letIn(feed, feed.batch)
        progressed = true
      } else this.left = 0
      if (feed.batch === undefined && !feed.reading && !feed.exhausted && !this.hasArrived(feed)) this.read(feed)
      if (this.left === 0) this.at = (this.at + 1) % this.feeds.length
      if (this.stopped || this.posted.length > 0 || this.host.slices.held) break
    }
    if (!this.told && this.feeds.every(({ exhausted, arrived }) => exhausted || arrived)) {
      this.told = true
      if (this.feeds.every(({ exhausted }) => exhausted)) this.host.allEnded()
      else this.post(() => this.place?.reached())
    }
    return progressed
  }

  private hasArrived(feed: Feed): boolean {
    if (this.place === undefined || feed.exhausted) return false
    feed.arrived ||= this.place.isReached(feed.stage.uid, feed.stage.offset)
    return feed.arrived
  }

  private waits({ stage }: Feed): boolean {
    if (!this.host.isPaused(stage.uid)) return false
    // Behind the place to stop at event time stands still: whoever is ahead of one that has arrived would wait for ever.
    return !(this.host.isOnlyAhead(stage.uid) && this.feeds.some(({ arrived }) => arrived))
  }

  private letIn(feed: Feed, batch: SourceBatch<unknown>): void {
    const end = Math.min(batch.values.length, feed.index + this.recordsOfTurn())
    feed.index = feed.stage.letIn(batch, feed.index, end)
    this.left = end - feed.index
    if (feed.index === batch.values.length) feed.batch = undefined
  }

  private recordsOfTurn(): number {
    if (this.place !== undefined) return 1
    return this.left > 0 ? this.left : Math.max(1, this.host.pacing.recordsPerTurn())
  }

  private read(feed: Feed): void {
    feed.reading = true
    unwrap(feed.reader.read(this.host.sourceBatchMax)).then(
      (read) => {
        feed.reading = false
        if (this.stopped) return
        if (read.kind === 'batch') {
          feed.batch = read.batch
          feed.index = 0
        } else this.post(() => this.exhaust(feed))
        this.wake?.()
      },
      (error: unknown) => {
        feed.reading = false
        // Nobody waits for it once the source is not read any more.
        if (!this.stopped && !this.halted && !this.hasArrived(feed)) this.host.fail(error)
      },
    )
  }

  private exhaust(feed: Feed): void {
    // Where it is to stop behind its last record, the end does not count, whichever comes first: all instances have one cut.
    if (this.halted || this.hasArrived(feed)) return
    feed.exhausted = true
    feed.stage.finished = true
    feed.stage.end(false)
    this.host.sourceEnded(feed.stage.uid)
  }

  private waitFor(pressure: Promise<void> | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (this.wake === wake) this.wake = undefined
        resolve()
      }
      this.wake = wake
      void pressure?.then(wake, wake)
    })
  }
}
