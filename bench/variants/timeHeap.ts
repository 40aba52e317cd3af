/** A binary heap of values by time, as by hand one writes it. */
export class TimeHeap<T> {
  private readonly times: number[] = []
  private readonly values: T[] = []

  /** `Infinity` when there is none. */
  get firstMs(): number {
    return this.times[0] ?? Number.POSITIVE_INFINITY
  }

  push(timeMs: number, value: T): void {
    const { times, values } = this
    let at = times.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((times[parent] as number) <= timeMs) break
      times[at] = times[parent] as number
      values[at] = values[parent] as T
      at = parent
    }
    times[at] = timeMs
    values[at] = value
  }

  /** Takes the soonest out. There must be one. */
  pop(): T {
    const { times, values } = this
    const first = values[0] as T
    const timeMs = times.pop() as number
    const value = values.pop() as T
    const { length } = times
    if (length === 0) return first
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && (times[child + 1] as number) < (times[child] as number)) child += 1
      if ((times[child] as number) >= timeMs) break
      times[at] = times[child] as number
      values[at] = values[child] as T
      at = child
    }
    times[at] = timeMs
    values[at] = value
    return first
  }
}
