import { option as O, taskEither as TE } from 'fp-ts'
import type { ReplayableSource, SourceRead } from 'rxweir'
import type { Reading } from '../readings.js'

export interface RepeatedOptions {
  readonly passes: number
  /** The first reading is asked for. */
  readonly onBegin: () => void
}

/** The same readings, pass after pass, as a source; its offset counts records. */
export function repeated(readings: readonly Reading[], { passes, onBegin }: RepeatedOptions): ReplayableSource<Reading> {
  const end = readings.length * passes
  return {
    offsets: 'replayable',
    open: ({ from }) => {
      const start = O.isSome(from) ? (from.value as number) : 0
      let next = start
      const read = (recordsMax: number): SourceRead<Reading> => {
        if (next === end) return { kind: 'end' }
        if (next === start) onBegin()
        const at = next % readings.length
        const values = readings.slice(at, at + recordsMax)
        const first = next
        next += values.length
        return { kind: 'batch', batch: { values, offsetAfter: (index) => first + index + 1 } }
      }
      return TE.right({ start, read: (recordsMax) => TE.fromIO(() => read(recordsMax)), close: () => async () => undefined })
    },
  }
}
