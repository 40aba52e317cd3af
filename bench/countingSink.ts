import { option as O, taskEither as TE } from 'fp-ts'
import type { SinkWriter, TransactionalSink } from 'rxweir'

export interface CountingSinkOptions<T> {
  take(value: T): void
  /** The barrier has come to the sink, the end of the graph. */
  onBarrier(): void
}

/** The cheapest transactional sink there is: hands each value to a counter, and commits how many there were. */
export function countingSink<T>({ take, onBarrier }: CountingSinkOptions<T>): TransactionalSink<T> {
  let values = 0
  const writer: SinkWriter<T> = {
    committedUpTo: () => TE.right(O.none),
    abortOthers: () => TE.right(undefined),
    write(value) {
      values += 1
      take(value)
    },
    full: () => false,
    drained: () => Promise.resolve(),
    preCommit() {
      onBarrier()
      const handle = values
      values = 0
      return TE.right(handle === 0 ? O.none : O.some(handle))
    },
    commit: () => TE.right(undefined),
    close: () => async () => undefined,
  }
  return { commits: 'transactional', open: () => TE.right(writer) }
}
