/** What all sinks have in common that deliver behind the checkpoint to a target that knows nothing of transactions. */
export interface CarriedSinkOptions {
  /**
   * What keys begin with. Default `<job>/<uid>`. A storage that begins anew counts from 1 again: give another prefix then, or a
   * target that remembers keys takes new records for old ones.
   */
  readonly keyPrefix?: string
  /** The run pauses its sources, and asks for a checkpoint, while so many records are not delivered. Default 10,000. */
  readonly recordsMax?: number
  /** The same for the characters of their text. They are part of every checkpoint until they are delivered. Default 4 Mi. */
  readonly charactersMax?: number
  /**
   * The newest transaction of which the target itself has any record, where it keeps `epoch` and `checkpointId` with what it is
   * given. Then starting from a checkpoint before that is an error, `SINK_AHEAD`; without it nobody can tell.
   */
  readonly committedUpTo?: () => Promise<{ readonly epoch: number; readonly checkpointId: number } | undefined>
}

/** A record as the checkpoint carries it. */
export interface CarriedForm<in T, out D> {
  readonly version: number
  toText(value: T): string
  fromText(text: string, version: number): D
}
