import { either as E } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { CrashFs } from '../../laws/crashFs.js'
import { chunksOf, must, planned, publishOn, type RowChange, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointWriter } from '../../lib/ports/checkpointStorage.js'
import { modelDirectory } from '../simulation/directoryModel.js'

const job = jobName('j')
const changes: readonly RowChange[] = [{ uid: 'a', table: 'one', key: 1, deleted: false }]

/** Stops a publish at each of its calls, and tells for each whether it was published. */
async function stoppedAtEachCall(
  stop: (session: CheckpointSession, writer: CheckpointWriter) => Promise<void>,
  lastSync: 'succeeds' | 'fails',
): Promise<readonly boolean[]> {
  const outcomes: boolean[] = []
  for (let nth = 0; ; nth++) {
    const files = new CrashFs()
    const session = await must(modelDirectory(files, 1).open(job))
    const before = await publishOn(session, await recover(session), 1, changes)
    await session.idle()()
    const writer = session.begin(checkpointId(2))
    for (const chunk of chunksOf(changes, 2)) await must(writer.write(chunk))
    const first = files.calls
    let stopped: Promise<void> | undefined
    let linked = false
    files.faults = ({ number, name }) => {
      if (name === 'link') linked = true
      if (stopped !== undefined && number > first + nth) expect(name, `a name was given after the stop at call ${nth}`).not.toBe('link')
      if (number === first + nth) stopped = stop(session, writer)
      return lastSync === 'fails' && linked && name === 'syncDirectory' ? { code: 'EIO' } : undefined
    }
    const published = E.isRight(await writer.publish({ id: 2, of: 1 })())
    files.faults = undefined
    await stopped
    await session.close()()
    expect(files.openFiles).toBe(0)
    const again = await must(modelDirectory(files, 2).open(job))
    // A name that was given and not made durable may be found, and then it is whole.
    const kept = published || (linked && lastSync === 'fails')
    expect(await recover(again)).toEqual(kept ? planned(before, 2, changes) : before)
    await again.close()()
    if (stopped === undefined) return outcomes
    outcomes.push(published)
  }
}

describe('a publish under way', () => {
  for (const [what, stop] of [
    ['the session is closed', (session: CheckpointSession) => session.close()()],
    ['the checkpoint is given up', (_session: CheckpointSession, writer: CheckpointWriter) => writer.abort()()],
  ] as const) {
    it(`happens as a whole or not at all when ${what} at any call`, async () => {
      const outcomes = await stoppedAtEachCall(stop, 'succeeds')
      // First those that were stopped in time, then those whose name had been given.
      expect(outcomes).toEqual([...outcomes].sort((one, other) => Number(one) - Number(other)))
      expect(outcomes.filter((published) => !published).length).toBeGreaterThan(6)
      expect(outcomes.filter((published) => published).length).toBeGreaterThan(2)
    })

    it(`whose last sync fails stays whole when ${what} at any call`, async () => {
      expect(await stoppedAtEachCall(stop, 'fails')).not.toContain(true)
    })
  }

  it('makes whoever opens the storage wait until it is quiet', async () => {
    const files = new CrashFs()
    const storage = modelDirectory(files, 1)
    const session = await must(storage.open(job))
    await recover(session)
    const order: string[] = []
    const publishing = session
      .begin(checkpointId(1))
      .publish({})()
      .then(() => order.push('settled'))
    const closing = session.close()()
    const again = await must(storage.open(job))
    order.push('opened')
    await Promise.all([publishing, closing])
    expect(order).toEqual(['settled', 'opened'])
    await again.close()()
  })
})
