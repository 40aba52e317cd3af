/**
 * Who lets which sources pause. An operator that can take no more pauses all of them; one that only runs ahead of others, its own.
 */
export class Pauses {
  private everything = 0
  private readonly bySource = new Map<string, number>()

  constructor(private readonly resumed: () => void) {}

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

  isPaused(source: string): boolean {
    return this.everything > 0 || (this.bySource.size > 0 && (this.bySource.get(source) ?? 0) > 0)
  }

  private count(sources: readonly string[] | undefined, by: 1 | -1): void {
    if (sources === undefined) this.everything += by
    for (const source of sources ?? []) this.bySource.set(source, (this.bySource.get(source) ?? 0) + by)
  }
}
