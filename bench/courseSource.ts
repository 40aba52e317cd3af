import { option as O, taskEither as TE } from 'fp-ts'
import type { ReplayableSource, SourceRead } from 'rxweir'
import type { Piece } from './course.js'

/** What a source reads: a course, or the part of one that is its own. It may have to wait for a piece. */
export interface Pieces<T> {
  readonly readings: readonly T[]
  next(): Piece | undefined | Promise<Piece | undefined>
}

/** The course as a source. It is started once; its offset counts records. */
export function courseSource<T>(course: Pieces<T>): ReplayableSource<T> {
  return {
    offsets: 'replayable',
    open: ({ from }) => {
      let offset = O.isSome(from) ? (from.value as number) : 0
      let piece: Piece | undefined
      let at = 0
      const read = async (recordsMax: number): Promise<SourceRead<T>> => {
        // A piece of a few readings may have none for one of several sources.
        while (piece === undefined || at === piece.to) {
          const following = course.next()
          piece = following instanceof Promise ? await following : following
          if (piece === undefined) return { kind: 'end' }
          at = piece.from
        }
        const values = course.readings.slice(at, Math.min(at + recordsMax, piece.to))
        const start = offset
        at += values.length
        offset += values.length
        return { kind: 'batch', batch: { values, offsetAfter: (index) => start + index + 1 } }
      }
      return TE.right({
        start: offset,
        read: (recordsMax) => async () => ({ _tag: 'Right', right: await read(recordsMax) }),
        close: () => async () => undefined,
      })
    },
  }
}
