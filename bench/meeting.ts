/** Several that wait for each other: when the last of them comes, all go on with what it makes. */
export class Meeting<T> {
  private waiting: ((made: T) => void)[] = []

  constructor(
    private readonly count: number,
    private readonly make: () => T,
  ) {}

  arrive(): Promise<T> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      if (this.waiting.length < this.count) return
      const all = this.waiting
      this.waiting = []
      const made = this.make()
      for (const goOn of all) goOn(made)
    })
  }
}
