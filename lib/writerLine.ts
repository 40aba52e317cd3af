/**
 * The checkpoints of one session that are being written.
 *
 * **Invariants** Each is the difference to the one begun before it. So it is published behind that one, and once that one was given up
 * it is never published; a whole one needs nothing of those before it, and still comes behind them.
 */
import { either as E } from 'fp-ts'
import { BackendError, invariant } from './errors.js'
import type { CheckpointId } from './identity.js'
import type { CheckpointWriter, WriterOptions } from './ports/checkpointStorage.js'

interface Place {
  readonly id: CheckpointId
  readonly whole: boolean
  publishing: boolean
  /** One that it builds on was given up. */
  baseless: boolean
}

export class WriterLine {
  /** Oldest first. */
  private readonly places: Place[] = []

  /** Puts a writer behind those that are under way. */
  add(id: CheckpointId, writer: CheckpointWriter, { whole = false }: WriterOptions = {}): CheckpointWriter {
    const place: Place = { id, whole, publishing: false, baseless: false }
    this.places.push(place)
    return {
      write: (chunk) => async () => {
        if (place.baseless) return refused(place)
        const written = await writer.write(chunk)()
        // What is not whole is not published, whether or not somebody gives it up.
        if (E.isLeft(written)) this.giveUp(place)
        return written
      },
      publish: (body, expired) => async () => {
        if (place.baseless) return refused(place)
        invariant(!this.places.includes(place) || this.places[0] === place, 'a checkpoint is published behind those begun before it')
        place.publishing = true
        let stands = false
        try {
          const published = await writer.publish(body, expired)()
          stands = E.isRight(published)
          return published
        } finally {
          if (stands) this.places.splice(0, this.places.indexOf(place) + 1)
          else this.giveUp(place)
        }
      },
      abort: () => {
        // One that is being published may stand: its publish tells.
        if (!place.publishing) this.giveUp(place)
        return writer.abort()
      },
    }
  }

  private giveUp(place: Place): void {
    const at = this.places.indexOf(place)
    if (at < 0) return
    const behind = this.places.slice(at + 1)
    const whole = behind.findIndex((each) => each.whole)
    const builtOnIt = whole < 0 ? behind : behind.slice(0, whole)
    for (const each of builtOnIt) each.baseless = true
    this.places.splice(at, 1 + builtOnIt.length)
  }
}

const refused = async ({ id }: Place): Promise<E.Either<BackendError, never>> =>
  E.left(new BackendError('BACKEND_NOT_OPEN', { checkpointId: id, reason: 'the checkpoint before it, on which it builds, was given up' }))
