import type { Key } from './key.js'

/** What a state holds under one key: its value or, of a list, a map or a window, one of several. */
export interface StateRow {
  readonly key: Key
  /** The window, where the operator keeps the state by window. */
  readonly namespace: Key | undefined
  /** The key of a map's entry, or the number of a list's element. */
  readonly entry: Key | undefined
  /** The operator's own, not a copy: it is not to be changed. */
  readonly value: unknown
}

/**
 * A look into one state of a running job.
 *
 * It is live: it finds what the operator has at the moment, of which a crash takes back what no checkpoint has yet. {@link CheckpointQuery}
 * finds what a crash leaves.
 */
export interface StateQuery {
  /** How many rows there are, of all keys. */
  readonly size: number
  /** What is held under a key; nothing where the key has none. */
  get(key: Key): readonly StateRow[]
  /** Everything, walked as it is asked for; what changes meanwhile may be seen or not. */
  rows(): IterableIterator<StateRow>
}

/**
 * A look into one state as the newest complete checkpoint has it: what a restart now would begin with.
 *
 * The checkpoint stays until the query is closed, whatever the job completes meanwhile; a query that is left open ends with the run.
 */
export interface CheckpointQuery {
  readonly checkpointId: number
  /** What is held under a key; nothing where the key has none. It reads all rows of the state to find them. */
  get(key: Key): Promise<readonly StateRow[]>
  /** Everything, each row once and in no order, read as it is asked for and never as a whole. */
  rows(): AsyncIterable<StateRow>
  /** Lets the checkpoint go. Idempotent. */
  close(): void
}
