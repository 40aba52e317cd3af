import { InvariantViolation, RxweirError, SinkError } from './errors.js'

/** What a target fails with is tried again; what we throw about the checkpoint or the program passes as it is. */
export function sinkFailure(cause: unknown, uid: string): SinkError {
  if (cause instanceof SinkError) return cause
  if (cause instanceof RxweirError || cause instanceof InvariantViolation) throw cause
  return new SinkError('SINK_IO', { uid }, { cause })
}
