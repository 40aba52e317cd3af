import { either as E, option as O } from 'fp-ts'
import type { ReplayableSource, SourceRead } from '../../lib/ports/replayableSource.js'

export interface ArraySourceOptions {
  /** How many records the next read yields at most. */
  batchMax(): number
  /** Called behind the last record; then the source waits until it is closed, instead of ending. */
  waits?(): void
}

/** Reads values from an array; the offset of a value is its index. */
export const arraySource = <T>(values: readonly T[], { batchMax, waits }: ArraySourceOptions): ReplayableSource<T> => ({
  offsets: 'replayable',
  open:
    ({ from }) =>
    async () => {
      const start = O.isSome(from) ? (from.value as number) : 0
      let position = start
      let release = (): void => {}
      const closed = new Promise<void>((resolve) => {
        release = resolve
      })
      const read = async (recordsMax: number): Promise<SourceRead<T>> => {
        const first = position
        const batch = values.slice(first, first + Math.max(1, Math.min(recordsMax, batchMax())))
        if (batch.length === 0 && waits !== undefined) {
          waits()
          await closed
        }
        if (batch.length === 0) return { kind: 'end' }
        position += batch.length
        return { kind: 'batch', batch: { values: batch, offsetAfter: (index) => first + index + 1 } }
      }
      return E.right({
        start,
        read: (recordsMax) => async () => E.right(await read(recordsMax)),
        close: () => async () => release(),
      })
    },
})
