import { either } from 'fp-ts'
import * as t from 'io-ts'
import { RestoreError } from '../errors.js'
import type { SourceOffset } from '../ports/replayableSource.js'

/** How far a pipeline has read what its inputs brought: the number of the next entry, and the inputs that have ended before it. */
export interface IntakeOffset {
  readonly next: number
  readonly ended: readonly string[]
}

const Stored = t.type({ next: t.refinement(t.number, (next) => Number.isSafeInteger(next) && next >= 0), ended: t.array(t.string) })

export const storedOffset = ({ next, ended }: IntakeOffset): SourceOffset => ({ next, ended: [...ended] })

export function readOffset(stored: SourceOffset, uid: string): IntakeOffset {
  const decoded = Stored.decode(stored)
  if (either.isLeft(decoded)) throw new RestoreError('CODEC_MISMATCH', { uid, what: 'offset' })
  return decoded.right
}
