/** Begins work in the order in which it was asked for, each when what it needs is ready. How long the work takes is its own matter. */
export class InOrder {
  private last: Promise<unknown> = Promise.resolve()

  next<Need, A>(need: Promise<Need>, work: (need: Need) => Promise<A>): Promise<A> {
    // In an object, so that what comes behind waits for the beginning only.
    const begun = Promise.all([need, this.last]).then(([needed]) => ({ done: work(needed) }))
    this.last = begun.catch(() => undefined)
    return begun.then(({ done }) => done)
  }

  /** Resolves when everything asked for so far has begun. */
  begun(): Promise<unknown> {
    return this.last
  }
}
