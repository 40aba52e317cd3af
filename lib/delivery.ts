/** A record on its way out of a job, behind a complete checkpoint. */
export interface Delivery<out T> {
  readonly value: T
  /** Names this record for ever: a record that is delivered again, in this run or in a later one, has the same key. */
  readonly key: string
  /** The run and the checkpoint whose transaction holds the record, and its place in there. */
  readonly epoch: number
  readonly checkpointId: number
  readonly index: number
}

/** Where deliveries go, in the hands of one run. */
export interface DeliveryTarget<in D> {
  /**
   * Delivers in order, and calls `confirmed(n)` when the first `n` have arrived. What it rejects with is tried again, behind what
   * was confirmed; a `SinkError` `SINK_REFUSED` ends the run.
   */
  deliver(deliveries: readonly Delivery<D>[], confirmed: (count: number) => void, signal: AbortSignal): Promise<void>
  close?(): Promise<void>
}
