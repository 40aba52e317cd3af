/** Bytes under bytes. Keys have the order of their bytes. */
export type KeyValue = readonly [key: Uint8Array, value: Uint8Array]

/** Keys from one on, and before another, which comes behind it. */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** The store as it is at one moment. */
export interface KeyValueReads {
  /** The value of each key, in their order; undefined where there is none. */
  get(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  /** The first `limit` keys of a range, in order. */
  keys(range: KeyRange, limit: number): Promise<readonly Uint8Array[]>
  /** The first `limit` keys of a range with their values, in order. */
  entries(range: KeyRange, limit: number): Promise<readonly KeyValue[]>
}

/** What one step changes. Whether its own reads see that is up to the store. The bytes are the store's from the call on. */
export interface KeyValueWrites extends KeyValueReads {
  put(key: Uint8Array, value: Uint8Array): void
  remove(key: Uint8Array): void
}

/**
 * An ordered store of bytes whose steps are atomic: all that `keyValueSession.ts` needs to keep checkpoints and a journal in it.
 *
 * **Invariants** A step sees what all steps before it wrote, and nobody writes between its reads and its writes. A step that writes has
 * happened as a whole, and is durable, when its promise resolves; when it rejects, it never happens, unless the failure is `fatal`:
 * then nobody knows. What `work` throws ends the step, and comes out as it is.
 *
 * `work` waits for nothing but what its argument answers: a step may end with the turn in which it asks for nothing.
 */
export interface KeyValueStore {
  /** Where nothing was ever written, nothing is found, and nothing is made. */
  read<A>(work: (at: KeyValueReads) => Promise<A>): Promise<A>
  write<A>(work: (at: KeyValueWrites) => Promise<A>): Promise<A>
  /** Steps under way have settled. */
  close(): Promise<void>
}
