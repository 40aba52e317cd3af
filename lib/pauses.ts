/**
 * Who lets which sources pause, and for how long they have. An operator that can take no more pauses all of them; one that only runs ahead of
 * others, its own; a full sink holds all of them, too.
 */
export class Pauses {
  private everything = 0
  /** A sink is full. */
  private pressed = false
  private readonly bySource = new Map<string, number>()
  /** For how long all were paused; and, by source, for how long it was while the others were not. */
  private allMs = 0
  private readonly ownMs = new Map<string, number>()
  /** Up to here it is counted. */
  private countedMs = 0

  constructor(
    /** How long the run has been going on. */
    private readonly runningMs: () => number,
    private readonly resumed: () => void,
  ) {}

  /** Pauses the sources named, or all. The function returned ends it; calling it twice does nothing. */
  begin(sources: readonly string[] | undefined): () => void {
    this.count(sources, 1)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.count(sources, -1)
      this.resumed()
    }
  }

  /** Notes whether a sink is full. */
  press(isPressed: boolean): void {
    if (isPressed === this.pressed) return
    this.countTime()
    this.pressed = isPressed
  }

  /** Operators let it pause. */
  isPaused(source: string): boolean {
    return this.everything > 0 || (this.bySource.size > 0 && (this.bySource.get(source) ?? 0) > 0)
  }

  /** It is paused for nothing but running ahead of others. */
  isOnlyAhead(source: string): boolean {
    return this.everything === 0 && this.isPaused(source)
  }

  /** Nothing of it is let in, whoever is the reason. */
  isHeld(source: string): boolean {
    return this.pressed || this.isPaused(source)
  }

  /** For how long nothing of it was let in. */
  heldMs(source: string): number {
    this.countTime()
    return this.allMs + (this.ownMs.get(source) ?? 0)
  }

  private count(sources: readonly string[] | undefined, by: 1 | -1): void {
    this.countTime()
    if (sources === undefined) this.everything += by
    for (const source of sources ?? []) this.bySource.set(source, (this.bySource.get(source) ?? 0) + by)
  }

  private countTime(): void {
    const nowMs = this.runningMs()
    const ms = nowMs - this.countedMs
    this.countedMs = nowMs
    // A clock that was set back takes nothing away.
    if (ms <= 0) return
    if (this.pressed || this.everything > 0) this.allMs += ms
    else for (const [source, count] of this.bySource) if (count > 0) this.ownMs.set(source, (this.ownMs.get(source) ?? 0) + ms)
  }
}
