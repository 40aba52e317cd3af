/** Web Locks, as far as one exclusive lock a name goes. Node has none before its release 24. */
export class TabLocks {
  private readonly last = new Map<string, Promise<unknown>>()

  readonly request = (async (name: string, { signal }: LockOptions, work: LockGrantedCallback<unknown>): Promise<unknown> => {
    const before = this.last.get(name) ?? Promise.resolve()
    let left = (): void => undefined
    const own = new Promise<void>((resolve) => {
      left = resolve
    })
    this.last.set(
      name,
      before.then(() => own),
    )
    try {
      await new Promise<void>((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
        void before.then(() => resolve())
      })
      return await work({ name, mode: 'exclusive' })
    } finally {
      left()
    }
  }) as LockManager['request']
}
