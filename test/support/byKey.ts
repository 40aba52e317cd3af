import type { Delivery } from '../../lib/delivery.js'

/** A target that ignores a key that it knows, and remembers which transactions it has heard of. */
export class KeyedTarget<T> {
  readonly delivered = new Map<string, T>()
  /** Deliveries of keys that were known. */
  repeated = 0
  newest: { readonly epoch: number; readonly checkpointId: number } | undefined

  take({ key, value, epoch, checkpointId }: Delivery<T>): void {
    this.newest = { epoch, checkpointId }
    this.takeKey(key, value)
  }

  takeKey(key: string, value: T): void {
    if (this.delivered.has(key)) this.repeated += 1
    else this.delivered.set(key, value)
  }

  get values(): readonly T[] {
    return [...this.delivered.values()]
  }
}
