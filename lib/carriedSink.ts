import { taskEither as TE } from 'fp-ts'
import type { CarriedForm, CarriedSinkOptions } from './carriedOptions.js'
import { CarriedWriter } from './carriedWriter.js'
import type { DeliveryTarget } from './delivery.js'
import { ConfigurationError, type ErrorDetails } from './errors.js'
import { kindOf } from './kindOf.js'
import { atLeast } from './limits.js'
import type { SinkContext, TransactionalSink } from './ports/transactionalSink.js'
import { sinkFailure } from './sinkFailure.js'

export interface CarriedSink<T, D> extends CarriedSinkOptions {
  /** Errors name what is in `where`. */
  form(where: ErrorDetails): CarriedForm<T, D>
  open(context: SinkContext): DeliveryTarget<D>
}

/**
 * A sink whose transactions are carried in the checkpoint until its target has taken their records.
 *
 * The target need not know what a transaction is: it is told of a record when the checkpoint behind it is complete, in order, until
 * it confirms. A crash in between tells it again, with the same key: at least once across a crash, once by key.
 */
export function carriedSink<T, D>(sink: CarriedSink<T, D>): TransactionalSink<T> {
  const { keyPrefix, recordsMax = 10_000, charactersMax = 4 * 1024 * 1024, committedUpTo } = sink
  atLeast('recordsMax', recordsMax, 1)
  atLeast('charactersMax', charactersMax, 1)
  if (keyPrefix !== undefined && typeof keyPrefix !== 'string')
    throw new ConfigurationError('OPTION_INVALID', { option: 'keyPrefix', found: kindOf(keyPrefix), expected: 'a string' })
  // Nothing is stored in this form yet: what is no codec is told now.
  sink.form({})
  return {
    commits: 'transactional',
    forgets: true,
    open: (context) =>
      TE.tryCatch(
        async () => {
          const { job, uid } = context
          const prefix = keyPrefix ?? `${job}/${uid}`
          return new CarriedWriter({ prefix, recordsMax, charactersMax, committedUpTo, form: sink.form({ uid }) }, context, sink.open(context))
        },
        (cause) => sinkFailure(cause, context.uid),
      ),
  }
}
