import { option as O } from 'fp-ts'
import { readBody, withoutTransactions } from '../../lib/checkpointBody.js'
import { invariant } from '../../lib/errors.js'
import { type CheckpointId, jobName } from '../../lib/identity.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { Life } from './life.js'
import { PlainStore } from './plainStorage.js'
import type { Surface } from './surface.js'
import { World } from './world.js'

/** A checkpoint that a storage has beside its newest. */
export interface Older {
  readonly id: CheckpointId
  /** A copy of it, which has what a job goes on with, and nothing that is still to be committed. */
  readonly copy: PlainStore
}

/** One of the older checkpoints that somebody may go back to; none where the storage retains none. */
export const olderIn = (surface: Surface, choose: (below: number) => number): Promise<Older | undefined> =>
  aside(async (life) => {
    const session = await unwrap(surface.storage(life).open(jobName('job'), { readOnly: true }))
    try {
      const latest = O.toUndefined(await unwrap(session.latest()))
      if (latest === undefined) return undefined
      // Whoever went back to a checkpoint does not do so again.
      const done = readBody(latest.body).restored?.checkpoint
      const ids = session.retained().filter((id) => id !== latest.checkpointId && id !== done)
      const id = ids[choose(ids.length)]
      if (id === undefined) return undefined
      const stored = O.toUndefined(await unwrap(session.hold(id)))
      invariant(stored !== undefined, 'what is retained is there')
      // From there the job went back: what was decided and not yet committed was given up then.
      if (done !== undefined && id > done && readBody(stored.body).restored?.checkpoint !== done) return undefined
      const chunks: RowChunk[] = []
      await unwrap(stored.readRows((chunk) => void chunks.push({ ...chunk, bytes: chunk.bytes.slice() })))
      const copy = new PlainStore()
      const body = JSON.stringify(withoutTransactions(readBody(stored.body)))
      copy.slot = { number: 1, epoch: stored.epoch, checkpoint: { checkpointId: id, epoch: stored.epoch, body, chunks } }
      return { id, copy }
    } finally {
      await session.close()()
    }
  })

const stepsMax = 10_000

/** Does something in a world of its own, in which nothing fails. */
async function aside<A>(work: (life: Life) => Promise<A>): Promise<A> {
  const world = new World(1, [], stepsMax)
  const life = new Life(world, { ended() {}, happened() {}, fault: () => false })
  let over = false
  const done = work(life).finally(() => {
    over = true
  })
  const settled = await world.settle(
    () => over,
    () => {},
  )
  invariant(settled === 'done', 'what is done aside comes to its end')
  return done
}
