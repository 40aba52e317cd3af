/** Work that was begun and has not ended: whoever closes waits for it, however it ends. */
export class UnderWay {
  private readonly works = new Set<Promise<void>>()

  /** Takes work in. How it ends is for others to hear. */
  add(work: Promise<unknown>): void {
    const settled = work.then(
      () => undefined,
      () => undefined,
    )
    this.works.add(settled)
    void settled.then(() => this.works.delete(settled))
  }

  /** Resolves when all of it has ended, and what has begun meanwhile. */
  async ended(): Promise<void> {
    while (this.works.size > 0) await Promise.all(this.works)
  }
}
