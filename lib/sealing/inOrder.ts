/** What becomes of the work behind work that was not ready: what is stored in a row ends there, what stands by itself goes on. */
export type AfterFailure = 'ends' | 'goes on'

/**
 * Begins work in the order in which it was asked for, each when what it needs is ready. How long the work takes is its own matter.
 *
 * **Fault model** What some work needs may fail to come: that work never begins. Where the line ends there, nothing behind it begins either,
 * and fails in the same way.
 */
export class InOrder {
  private last: Promise<unknown> = Promise.resolve()

  constructor(private readonly afterFailure: AfterFailure) {}

  next<Need, A>(need: Promise<Need>, work: (need: Need) => Promise<A>): Promise<A> {
    // In an object, so that what comes behind waits for the beginning only.
    const begun = Promise.all([need, this.last]).then(([needed]) => ({ done: work(needed) }))
    this.last = this.afterFailure === 'ends' ? begun : begun.catch(() => undefined)
    // Nobody may come behind it.
    this.last.catch(() => undefined)
    return begun.then(({ done }) => done)
  }

  /** Resolves when everything asked for so far has begun; rejects where the line has ended. */
  begun(): Promise<unknown> {
    return this.last
  }
}
