/** Web Locks, as far as one exclusive lock a name goes. Node has none before its release 24. */
export class TabLocks {
  private readonly held = new Set<string>()
  private waiting: { readonly name: string; readonly grant: () => void }[] = []

  readonly request = (async (name: string, { signal, ifAvailable = false }: LockOptions, work: LockGrantedCallback<unknown>): Promise<unknown> => {
    // Nothing is granted within the call.
    await Promise.resolve()
    if (ifAvailable && this.held.has(name)) return work(null)
    if (this.held.has(name)) await this.turn(name, signal)
    this.held.add(name)
    try {
      return await work({ name, mode: 'exclusive' })
    } finally {
      this.held.delete(name)
      this.waiting.find((each) => each.name === name)?.grant()
    }
  }) as LockManager['request']

  private turn(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting = this.waiting.filter((each) => each !== own)
      }
      const own = {
        name,
        grant: () => {
          leave()
          this.held.add(name)
          resolve()
        },
      }
      this.waiting.push(own)
      signal?.addEventListener('abort', () => {
        leave()
        reject(signal.reason)
      })
    })
  }
}
