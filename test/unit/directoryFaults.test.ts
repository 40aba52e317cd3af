import { either as E, option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { CrashFs, type CrashFsOptions } from '../../laws/crashFs.js'
import { biased, chance } from '../../laws/crashFsChoices.js'
import { type Faults, type FileErrorCode, failNth } from '../../laws/crashFsError.js'
import { chunksOf, type Found, must, nothing, planned, type RowChange, readAll, recover, sameFound } from '../../laws/storageHistory.js'
import { type BackendError, hasCode } from '../../lib/errors.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { modelDirectory } from '../simulation/directoryModel.js'

const job = jobName('j')
const row = (key: number, deleted = false): RowChange => ({ uid: 'a', table: 'one', key, deleted })
const plan: readonly (readonly RowChange[])[] = [[row(1), row(2)], [row(3)], [row(1, true), row(4)], [], [row(5)], [row(2, true), row(6)]]

interface Outcome {
  readonly calls: number
  readonly failed: number
  readonly fatal: number
  /** What was acknowledged last, and what may be found instead: checkpoints whose end could not be settled. */
  readonly acknowledged: Found
  readonly unsettled: readonly Found[]
}

/** Works as the core does: what a failed checkpoint wrote is written again with the next, and a fatal failure starts a new run. */
async function work(files: CrashFs): Promise<Outcome> {
  let acknowledged = nothing
  let unsettled: Found[] = []
  let failed = 0
  let fatal = 0
  let dirty: readonly RowChange[] = []
  let session: CheckpointSession | undefined
  const start = async (): Promise<void> => {
    await session?.close()()
    session = undefined
    for (let attempt = 0; attempt < 3 && session === undefined; attempt++) {
      const opened = await must(modelDirectory(files, 1).open(job))
      const latest = await opened.latest()()
      const found = E.isLeft(latest) ? undefined : O.isNone(latest.right) ? nothing : await readAll(latest.right.value).catch(ours)
      if (E.isLeft(latest)) ours(latest.left)
      const taken = E.isLeft(latest) || found === undefined ? undefined : await opened.takeOver(latest.right)()
      if (taken !== undefined && E.isLeft(taken)) ours(taken.left)
      if (found === undefined || taken === undefined || E.isLeft(taken)) {
        failed += 1
        await opened.close()()
        continue
      }
      if (![acknowledged, ...unsettled].some((one) => sameFound(one, found)))
        throw new Error(`a run found checkpoint ${found.checkpointId} after ${acknowledged.checkpointId}`)
      acknowledged = found
      unsettled = []
      dirty = []
      session = opened
    }
  }
  await start()
  for (const [index, changes] of plan.entries()) {
    if (session === undefined) await start()
    if (session === undefined) continue
    const id = index + 1
    dirty = [...dirty, ...changes]
    const after = planned(acknowledged, id, dirty)
    const writer = session.begin(checkpointId(id))
    for (const chunk of chunksOf(dirty, id)) await writer.write(chunk)()
    const published = await writer.publish({ id, of: dirty.length })()
    await writer.abort()()
    await session.idle()()
    if (E.isRight(published)) {
      acknowledged = after
      dirty = []
      continue
    }
    failed += 1
    ours(published.left)
    if (published.left.details['fatal'] !== true) continue
    fatal += 1
    unsettled = [after]
    await start()
  }
  await session?.close()()
  return { calls: files.calls, failed, fatal, acknowledged, unsettled }
}

/** A failure has a code and a cause; it is never mistaken for damage. */
function ours(error: BackendError): undefined {
  if (!hasCode(error, 'BACKEND_IO') && !hasCode(error, 'BACKEND_FULL')) throw error
  return undefined
}

async function found(files: CrashFs): Promise<Found> {
  const session = await must(modelDirectory(files, 2).open(job))
  try {
    return await recover(session)
  } finally {
    await session.close()()
  }
}

async function sweep(
  faults: (nth: number) => Faults,
  options?: CrashFsOptions,
): Promise<{ readonly cases: number; readonly failed: number; readonly fatal: number }> {
  const { calls } = await work(new CrashFs())
  const sum = { cases: 0, failed: 0, fatal: 0 }
  for (let nth = 0; nth < calls; nth++) {
    const files = new CrashFs(options)
    files.faults = faults(nth)
    const outcome = await work(files)
    expect(files.openFiles, `files left open when call ${nth} fails`).toBe(0)
    files.faults = undefined
    const random = chance(nth)
    const cut = files.cutAt(files.cuts)
    for (const image of [files.afterProcessDeath(), cut.image(() => false), cut.image(biased(random)), cut.image(biased(random))]) {
      const state = await found(image)
      if (![outcome.acknowledged, ...outcome.unsettled].some((one) => sameFound(one, state)))
        throw new Error(`call ${nth} failed: found checkpoint ${state.checkpointId}, acknowledged was ${outcome.acknowledged.checkpointId}`)
    }
    sum.cases += 1
    sum.failed += outcome.failed
    sum.fatal += outcome.fatal
  }
  return sum
}

describe('when a call of the file system fails', () => {
  for (const code of ['EIO', 'ENOSPC'] as const satisfies readonly FileErrorCode[])
    for (const how of ['once', 'sticky'] as const)
      it(`with ${code}, ${how}, a checkpoint fails with a code and the one before it is intact, whichever call it is`, async () => {
        const sum = await sweep((nth) => failNth(nth, code, how))
        expect(sum.cases).toBeGreaterThan(60)
        expect(sum.failed).toBeGreaterThan(sum.cases / 4)
        // A run that cannot be settled is the exception.
        if (how === 'once') expect(sum.fatal).toBeLessThan(sum.failed / 2)
      })

  it('short writes and short reads change nothing', async () => {
    const whole = await work(new CrashFs())
    for (const bytesMax of [1, 7, 100]) {
      const files = new CrashFs()
      files.faults = () => ({ bytesMax })
      const outcome = await work(files)
      expect(outcome.failed).toBe(0)
      expect(sameFound(await found(files), whole.acknowledged)).toBe(true)
    }
  })
})

describe('when there is no room', () => {
  for (const fullAt of ['write', 'sync'] as const)
    it(`told by the ${fullAt}, the last checkpoint is intact, and the next succeeds when room returns`, async () => {
      for (let bytesMax = 0; bytesMax < 9_000; bytesMax += 250) {
        const files = new CrashFs({ bytesMax, fullAt })
        const outcome = await work(files)
        expect(sameFound(await found(files.afterProcessDeath()).catch(() => outcome.acknowledged), outcome.acknowledged)).toBe(true)
        files.bytesMax = Number.POSITIVE_INFINITY
        expect(sameFound(await found(files), outcome.acknowledged)).toBe(true)
      }
    })

  it('for more files, the code is BACKEND_FULL', async () => {
    const files = new CrashFs({ nodesMax: 5 })
    const session = await must(modelDirectory(files, 1).open(job))
    await recover(session)
    const writer = session.begin(checkpointId(1))
    for (const chunk of chunksOf([row(1)], 1)) await must(writer.write(chunk))
    const refused = await writer.publish({})()
    expect(E.isLeft(refused) && refused.left.code).toBe('BACKEND_FULL')
    files.nodesMax = 100
    const again = session.begin(checkpointId(1))
    for (const chunk of chunksOf([row(1)], 1)) await must(again.write(chunk))
    await must(again.publish({}))
    await session.close()()
    expect(files.openFiles).toBe(0)
  })
})
