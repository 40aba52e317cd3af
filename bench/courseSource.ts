import { option as O, taskEither as TE } from 'fp-ts'
import type { ReplayableSource, SourceRead } from 'rxweir'
import type { Course, Piece } from './course.js'
import type { Reading } from './readings.js'

/** The course as a source. It is started once; its offset counts records. */
export function courseSource(course: Course): ReplayableSource<Reading> {
  return {
    offsets: 'replayable',
    open: ({ from }) => {
      let offset = O.isSome(from) ? (from.value as number) : 0
      let piece: Piece | undefined
      let at = 0
      const read = (recordsMax: number): SourceRead<Reading> => {
        if (piece === undefined || at === piece.to) {
          piece = course.next()
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
        read: (recordsMax) => async () => ({ _tag: 'Right', right: read(recordsMax) }),
        close: () => async () => undefined,
      })
    },
  }
}
