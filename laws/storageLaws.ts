import fc from 'fast-check'
import { either as E, option as O, type taskEither } from 'fp-ts'
import { type BackendError, hasCode } from '../lib/errors.js'
import { checkpointId, epoch as epochOf, jobName } from '../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, RowChunk } from '../lib/ports/checkpointStorage.js'
import { type Law, law } from './law.js'
import {
  chunksOf,
  concurrentMax,
  everyRow,
  expectSame,
  expiredBefore,
  type Found,
  history,
  living,
  must,
  nothing,
  overlapping,
  planned,
  publishOn,
  type RowChange,
  readAll,
  recover,
  rowChange,
  sameFound,
} from './storageHistory.js'

/** A storage that a law may fill, fresh for each case. */
export interface StorageUnderTest {
  readonly storage: CheckpointStorage
  /** The same checkpoints as another process sees them. Without it the laws about two processes are left out. */
  readonly otherProcess?: () => CheckpointStorage
  dispose?(): Promise<void>
}

export type StorageFactory = () => StorageUnderTest | Promise<StorageUnderTest>

const job = jobName('law')
/** Behind so many microtasks a publish has begun its work. */
const publishHops = 20

/**
 * The laws of a {@link CheckpointStorage}.
 *
 * @param make - makes an empty storage; called once for each case
 * @category laws
 * @since 0.1.0
 */
export function storageLaws(make: StorageFactory, options: { readonly twoProcesses: boolean }): readonly Law[] {
  const using = async (work: (under: StorageUnderTest) => Promise<void>): Promise<void> => {
    const under = await make()
    try {
      await work(under)
    } finally {
      await under.dispose?.()
    }
  }
  const other = (under: StorageUnderTest): CheckpointStorage => {
    if (under.otherProcess === undefined) throw new Error('the factory promised two processes')
    return under.otherProcess()
  }

  const one: readonly Law[] = [
    law('read-your-snapshot', 'a published checkpoint is read back byte for byte, an aborted one never', () =>
      fc.asyncProperty(history, (plans) =>
        using(async ({ storage }) => {
          let session = await must(storage.open(job))
          let expected = await recover(session)
          for (const [index, { changes, ending, restart }] of plans.entries()) {
            const id = index + 1
            if (ending === 'publish') expected = await publishOn(session, expected, id, changes)
            else {
              const writer = session.begin(checkpointId(id))
              for (const chunk of chunksOf(changes, id)) await must(writer.write(chunk))
              await writer.abort()()
            }
            if (restart) {
              await session.close()()
              session = await must(storage.open(job))
              expectSame(await recover(session), expected, `after a restart behind checkpoint ${id}`)
            }
          }
          await session.idle()()
          const latest = await must(session.latest())
          expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, expected, 'at the end')
          await session.close()()
        }),
      ),
    ),
    law('leaves-out-expired', 'merges leave out nothing but what was called expired, and bring nothing older back', () =>
      fc.asyncProperty(history, fc.array(fc.nat(6), { minLength: 14, maxLength: 14 }), fc.boolean(), (later, ages, large) =>
        using(async ({ storage }) => {
          if (storage.manifest.leavesOutExpired !== true) return
          let session = await must(storage.open(job))
          let expected = await recover(session)
          let beforeId = 0
          // Behind a large checkpoint small ones are merged by themselves: what they leave out may have an older value there.
          const plans = large ? [everyRow, ...later.slice(1).map((plan) => ({ ...plan, changes: plan.changes.slice(0, 2) }))] : later
          for (const [index, { changes, ending, restart }] of plans.entries()) {
            const id = index + 1
            if (ending === 'abort') continue
            // Time only rises, and what this very checkpoint wrote may have expired.
            beforeId = Math.max(beforeId, id - (ages[index] as number))
            expected = await publishOn(session, expected, id, changes, expiredBefore(beforeId))
            await session.idle()()
            if (restart) {
              await session.close()()
              session = await must(storage.open(job))
            }
            const latest = await must(session.latest())
            if (O.isNone(latest)) throw new Error('a published checkpoint was not found')
            expectSame(living(await readAll(latest.value), beforeId), living(expected, beforeId), `behind checkpoint ${id}`)
            const { rows } = await readAll(latest.value)
            for (const [name, value] of rows) if (expected.rows.get(name) !== value) throw new Error(`an older value of ${name} came back`)
            if (restart) await must(session.takeOver(latest))
          }
          await session.close()()
        }),
      ),
    ),
    law('snapshot-isolation', 'later writes and publishes do not change a checkpoint that was read', () =>
      fc.asyncProperty(fc.array(rowChange), fc.array(rowChange), (first, second) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          const before = await publishOn(session, await recover(session), 1, first)
          const latest = await must(session.latest())
          const writer = session.begin(checkpointId(2))
          for (const chunk of chunksOf(second, 2)) await must(writer.write(chunk))
          if (O.isNone(latest)) throw new Error('a published checkpoint was not found')
          expectSame(await readAll(latest.value), before, 'while the next is written')
          await must(writer.publish({ id: 2, of: second.length }))
          expectSame(await readAll(latest.value), before, 'after the next was published')
          await session.close()()
        }),
      ),
    ),
    law('held-is-kept', 'a checkpoint that is held reads the same until it is let go, whatever is published meanwhile', () =>
      fc.asyncProperty(fc.array(rowChange), history, (first, later) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          const before = await publishOn(session, await recover(session), 1, first)
          const held = await must(session.hold(checkpointId(1)))
          if (O.isNone(held)) throw new Error('a checkpoint that is retained cannot be held')
          let newest = before
          for (const [index, { changes }] of later.entries()) newest = await publishOn(session, newest, index + 2, changes)
          await session.idle()()
          expectSame(await readAll(held.value), before, `behind ${later.length} further checkpoints`)
          session.letGo(checkpointId(1))
          if (O.isSome(await must(session.hold(checkpointId(1_000))))) throw new Error('a checkpoint that there never was is held')
          newest = await publishOn(session, newest, 500, first)
          await session.idle()()
          const latest = await must(session.latest())
          expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, newest, 'the newest')
          await session.close()()
        }),
      ),
    ),
    law('whole-is-alone', 'a whole checkpoint holds what was written to it and nothing older, and later ones build on it', () =>
      fc.asyncProperty(history, fc.array(rowChange), history, (earlier, written, later) =>
        using(async ({ storage }) => {
          let session = await must(storage.open(job))
          let expected = await recover(session)
          const publish = async ({ changes, restart }: (typeof earlier)[number]): Promise<void> => {
            expected = await publishOn(session, expected, expected.checkpointId + 1, changes)
            if (!restart) return
            await session.close()()
            session = await must(storage.open(job))
            expectSame(await recover(session), expected, `after a restart behind checkpoint ${expected.checkpointId}`)
          }
          for (const plan of earlier) await publish(plan)
          const before = expected
          expected = await publishOn(session, { ...nothing, checkpointId: before.checkpointId }, before.checkpointId + 1, written, undefined, {
            whole: true,
          })
          const kept = await must(session.hold(checkpointId(before.checkpointId)))
          if (O.isSome(kept)) expectSame(await readAll(kept.value), before, 'the checkpoint before it')
          session.letGo(checkpointId(before.checkpointId))
          for (const plan of later) await publish(plan)
          await session.idle()()
          const latest = await must(session.latest())
          expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, expected, 'at the end')
          await session.close()()
        }),
      ),
    ),
    law('discard-is-final', 'what was discarded is never found again, and what follows holds nothing of it', () =>
      fc.asyncProperty(history, fc.array(rowChange, { maxLength: 4 }), history, (earlier, started, later) =>
        using(async ({ storage }) => {
          if (storage.manifest.discards !== true) return
          const unowned = await must(storage.open(job))
          await refused(discarded(unowned), 'BACKEND_NOT_OPEN')
          let expected = await recover(unowned)
          let session = unowned
          for (const [index, { changes }] of earlier.entries()) expected = await publishOn(session, expected, index + 1, changes)
          const writer = session.begin(checkpointId(500))
          for (const chunk of chunksOf(started, 500)) await must(writer.write(chunk))
          const before = await must(session.latest())
          await must(discarded(session))
          const found = await must(session.latest())
          if (O.isSome(found) || session.retained().length > 0) throw new Error('a checkpoint is there after all were discarded')
          await refused(writer.publish({}), 'BACKEND_NOT_OPEN')
          await session.close()()
          session = await must(storage.open(job))
          expected = await recover(session)
          expectSame(expected, nothing, 'after a restart')
          for (const [index, { changes, restart }] of later.entries()) {
            expected = await publishOn(session, expected, index + 1, changes)
            if (!restart) continue
            await session.close()()
            session = await must(storage.open(job))
            const latest = await must(session.latest())
            if (O.isNone(latest)) throw new Error('a checkpoint that was published behind the discarded ones is not found')
            if (O.isSome(before) && latest.value.epoch <= before.value.epoch) throw new Error('epochs went back')
            expectSame(await readAll(latest.value), expected, `behind checkpoint ${index + 1} of the new line`)
            await must(session.takeOver(latest))
          }
          const latest = await must(session.latest())
          expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, expected, 'at the end')
          await session.close()()
        }),
      ),
    ),
    law('several-at-a-time', 'checkpoints that are written at a time are published in their order, and never behind one that was given up', () =>
      fc.asyncProperty(overlapping, (steps) =>
        using(async ({ storage }) => {
          if (storage.manifest.concurrentWriters !== true) return
          let session = await must(storage.open(job))
          let expected = await recover(session)
          let lastId = 0
          const open: {
            readonly id: number
            readonly writer: CheckpointWriter
            readonly changes: readonly RowChange[]
            readonly rest: RowChunk[]
          }[] = []
          for (const step of steps) {
            if (step.kind === 'begin') {
              if (open.length === concurrentMax) continue
              const id = (lastId += 1)
              open.push({ id, writer: session.begin(checkpointId(id)), changes: step.changes, rest: [...chunksOf(step.changes, id)] })
            } else if (step.kind === 'write') {
              const one = open[step.which]
              const chunk = one?.rest.shift()
              if (one !== undefined && chunk !== undefined) await must(one.writer.write(chunk))
            } else if (step.kind === 'publish') {
              const oldest = open.shift()
              if (oldest === undefined) continue
              for (const chunk of oldest.rest) await must(oldest.writer.write(chunk))
              // The next one goes on being written meanwhile, once the publish is on its way.
              const [next] = open
              const chunk = next?.rest.shift()
              const published = must(oldest.writer.publish({ id: oldest.id, of: oldest.changes.length }))
              for (let hop = 0; hop < publishHops; hop += 1) await undefined
              if (next !== undefined && chunk !== undefined) await must(next.writer.write(chunk))
              await published
              expected = planned(expected, oldest.id, oldest.changes)
            } else if (step.kind === 'giveUp') {
              const [first, ...behind] = open.splice(Math.min(step.which, open.length))
              await first?.writer.abort()()
              for (const { writer } of behind) await refused(writer.publish({}), 'BACKEND_NOT_OPEN')
              for (const { writer } of behind) await writer.abort()()
            } else {
              await session.close()()
              open.length = 0
              session = await must(storage.open(job))
              expectSame(await recover(session), expected, `after a restart behind checkpoint ${expected.checkpointId}`)
            }
            const latest = await must(session.latest())
            expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, expected, `with ${open.length} under way`)
          }
          const ahead = await open[1]?.writer
            .publish({})()
            .catch(() => undefined)
          if (ahead !== undefined && E.isRight(ahead)) throw new Error('a checkpoint was published before the one on which it builds')
          await session.close()()
          const again = await must(storage.open(job))
          expectSame(await recover(again), expected, 'at the end')
          await again.close()()
        }),
      ),
    ),
    law('uid-isolation', 'rows of one uid and table are never read under another', () =>
      fc.asyncProperty(fc.array(rowChange, { minLength: 1 }), (changes) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          const expected = await publishOn(session, await recover(session), 1, changes)
          await session.close()()
          const again = await must(storage.open(job))
          expectSame(await recover(again), expected, 'after a restart')
          await again.close()()
          const stranger = await must(storage.open(jobName('another')))
          expectSame(await recover(stranger), nothing, 'another job')
          await stranger.close()()
        }),
      ),
    ),
    law('monotone-completion', 'the newest complete checkpoint never moves back, and what is retained grows only at its end', () =>
      fc.asyncProperty(history, (plans) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          let expected = await recover(session)
          for (const [index, { changes, ending }] of plans.entries()) {
            const id = index + 1
            const before = session.retained()
            if (ending === 'publish') expected = await publishOn(session, expected, id, changes)
            const after = session.retained()
            if (after.at(-1) !== (expected.checkpointId === 0 ? undefined : expected.checkpointId))
              throw new Error('the newest checkpoint is not retained')
            if (after.some((kept) => kept !== id && !before.includes(kept))) throw new Error('a deleted checkpoint came back')
            const latest = await must(session.latest())
            if ((O.isSome(latest) ? latest.value.checkpointId : 0) !== expected.checkpointId)
              throw new Error('another checkpoint than the newest was found')
          }
          await session.close()()
        }),
      ),
    ),
    law('epochs-increase', 'each takeover has a higher epoch, and a checkpoint keeps that of the run that took it', () =>
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.option(fc.nat(20), { nil: undefined })), { minLength: 1, maxLength: 6 }), (runs) =>
        using(async ({ storage }) => {
          let newest = 0
          let published = 0
          for (const [index, [publish, above]] of runs.entries()) {
            const session = await must(storage.open(job))
            const latest = await must(session.latest())
            if ((O.isSome(latest) ? latest.value.epoch : 0) !== published) throw new Error('a checkpoint has another epoch than its run')
            const epoch = await must(session.takeOver(latest, above === undefined ? undefined : epochOf(above)))
            if (epoch <= newest) throw new Error(`epoch ${epoch} follows epoch ${newest}`)
            if (epoch <= (above ?? 0)) throw new Error(`epoch ${epoch} is not above ${above}, which another storage has used`)
            newest = epoch
            if (publish) {
              await must(session.begin(checkpointId(index + 1)).publish({}))
              published = epoch
            }
            await session.close()()
          }
        }),
      ),
    ),
    law('reading-beside', 'a session that only reads is opened beside the one that writes, sees what is published, and takes nothing over', () =>
      fc.asyncProperty(history, (plans) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          let expected = await recover(session)
          for (const [index, { changes }] of plans.entries()) {
            expected = await publishOn(session, expected, index + 1, changes)
            const beside = await must(storage.open(job, { readOnly: true }))
            const latest = await must(beside.latest())
            expectSame(O.isSome(latest) ? await readAll(latest.value) : nothing, expected, `beside, behind checkpoint ${index + 1}`)
            if (index === 0) await refused(beside.takeOver(latest), 'BACKEND_NOT_OPEN')
            await beside.close()()
          }
          expected = await publishOn(session, expected, 500, [])
          await session.close()()
        }),
      ),
    ),
    law('closed-is-closed', 'after close nothing is read, written or published, and the storage can be opened again', () =>
      fc.asyncProperty(fc.array(rowChange, { maxLength: 4 }), fc.boolean(), (changes, waiting) =>
        using(async ({ storage }) => {
          const session = await must(storage.open(job))
          const second = await storage.open(job)()
          if (E.isRight(second) || !hasCode(second.left, 'BACKEND_IN_USE')) throw new Error('a second session was opened beside the first')
          const unowned = session.begin(checkpointId(1))
          await refused(unowned.publish({}), 'BACKEND_NOT_OPEN')
          const expected = await publishOn(session, await recover(session), 1, changes)
          const writer = session.begin(checkpointId(2))
          for (const chunk of chunksOf(changes, 2)) await must(writer.write(chunk))
          const closing = session.close()()
          // The gate is shut by the call itself, not when its promise resolves.
          if (waiting) await closing
          await refused(writer.publish({}), 'BACKEND_NOT_OPEN')
          await refused(session.latest(), 'BACKEND_NOT_OPEN')
          await writer.abort()()
          const again = await must(storage.open(job))
          expectSame(await recover(again), expected, 'after the restart')
          await Promise.all([closing, session.close()(), again.close()()])
        }),
      ),
    ),
  ]
  const two: readonly Law[] = [
    law('fencing', 'after a takeover no earlier writer publishes, and of two that take over from one checkpoint one wins', () =>
      fc.asyncProperty(fc.array(rowChange, { maxLength: 4 }), fc.integer({ min: 0, max: 6 }), (changes, later) =>
        using(async (under) => {
          const stale = await must(under.storage.open(job))
          const expected = await publishOn(stale, await recover(stale), 1, changes)
          const started = stale.begin(checkpointId(2))
          for (const chunk of chunksOf(changes, 2)) await must(started.write(chunk))
          const [fresh, rival] = await Promise.all([must(other(under).open(job)), must(other(under).open(job))])
          const [latest, same] = await Promise.all([must(fresh.latest()), must(rival.latest())])
          await must(fresh.takeOver(latest))
          await refused(rival.takeOver(same), 'BACKEND_FENCED')
          let newest = expected
          // The slots that the stale writer knows of may be gone by then.
          for (let id = 2; id < 2 + later; id += 1) newest = await publishOn(fresh, newest, id, changes)
          await fresh.idle()()
          await refused(started.publish({ id: 2, of: changes.length }), 'BACKEND_FENCED')
          await Promise.all([stale.close()(), rival.close()()])
          newest = await publishOn(fresh, newest, 20, changes)
          await fresh.close()()
          const last = await must(other(under).open(job))
          expectSame(await recover(last), newest, 'after the stale writer tried')
          await last.close()()
        }),
      ),
    ),
    law(
      'discard-is-atomic',
      'whoever takes over while checkpoints are discarded finds the newest one whole, or none; a writer that was fenced discards nothing',
      () =>
        fc.asyncProperty(history, fc.boolean(), (plans, late) =>
          using(async (under) => {
            if (under.storage.manifest.discards !== true) return
            const stale = await must(under.storage.open(job))
            let expected = await recover(stale)
            for (const [index, { changes }] of plans.entries()) expected = await publishOn(stale, expected, index + 1, changes)
            const fresh = await must(other(under).open(job))
            // Late, somebody else has taken over before; else both are at it at once, and whoever comes second is told.
            const taken = late ? await recover(fresh) : undefined
            const [gone, found] = await Promise.all([discarded(stale)(), taken ?? recoverAgain(fresh)])
            if (E.isLeft(gone) && !hasCode(gone.left, 'BACKEND_FENCED')) throw gone.left
            if (E.isRight(gone) && late) throw new Error('a writer that was fenced has discarded checkpoints')
            if (!sameFound(found, expected) && !sameFound(found, nothing)) throw new Error(`a part of checkpoint ${expected.checkpointId} was found`)
            if (E.isLeft(gone)) expectSame(found, expected, 'where nothing was discarded')
            const next = await publishOn(fresh, found, expected.checkpointId + 1, [])
            await Promise.all([stale.close()(), fresh.close()()])
            const last = await must(other(under).open(job))
            expectSame(await recover(last), next, 'at the end')
            await last.close()()
          }),
        ),
    ),
    law('one-line', 'writers that interleave at will leave one line of checkpoints: each acknowledged one is found or built upon', () =>
      fc.asyncProperty(fc.integer({ min: 2, max: 3 }), fc.integer({ min: 1, max: 6 }), (processes, rounds) =>
        using(async (under) => {
          /** What each acknowledged checkpoint was built on, by stamp. */
          const acknowledged = new Map<string, string>()
          let stamps = 0
          const run = async (): Promise<void> => {
            for (let round = 0; round < rounds; round += 1) {
              const session = await must(other(under).open(job))
              try {
                const latest = await session.latest()()
                if (E.isLeft(latest)) throw latest.left
                if (E.isLeft(await session.takeOver(latest.right)())) continue
                let before = O.isSome(latest.right) ? String(latest.right.value.body) : 'start'
                let id: number = O.isSome(latest.right) ? latest.right.value.checkpointId : 0
                for (let count = 0; count < 3; count += 1) {
                  const stamp = `s${(stamps += 1)}`
                  id += 1
                  if (E.isLeft(await session.begin(checkpointId(id)).publish(stamp)())) break
                  acknowledged.set(stamp, before)
                  before = stamp
                }
              } finally {
                await session.close()()
              }
            }
          }
          await Promise.all(Array.from({ length: processes }, run))
          const parents = [...acknowledged.values()]
          if (new Set(parents).size !== parents.length) throw new Error('two acknowledged checkpoints were built on the same one')
          const last = await must(other(under).open(job))
          const latest = await must(last.latest())
          const newest = O.isSome(latest) ? String(latest.value.body) : 'start'
          await last.close()()
          if (parents.includes(newest)) throw new Error('an acknowledged checkpoint was lost')
          if (acknowledged.size > 0 && !acknowledged.has(newest)) throw new Error('what is found was never acknowledged')
        }),
      ),
    ),
  ]
  return options.twoProcesses ? [...one, ...two] : one
}

/** Of a storage that says it can. */
function discarded(session: CheckpointSession): taskEither.TaskEither<BackendError, void> {
  if (session.discard === undefined) throw new Error('the manifest says that sessions discard, and they cannot')
  return session.discard()
}

/** As a run does: where somebody is faster, it reads anew. */
async function recoverAgain(session: CheckpointSession): Promise<Found> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await recover(session)
    } catch (error) {
      if (attempt === 5 || !hasCode(error as Error, 'BACKEND_FENCED')) throw error
    }
  }
}

async function refused(
  task: ReturnType<CheckpointSession['latest']> | (() => Promise<E.Either<unknown, unknown>>),
  code: Parameters<typeof hasCode>[1],
): Promise<void> {
  const result: E.Either<unknown, unknown> = await task()
  if (E.isRight(result)) throw new Error(`it succeeded instead of failing with ${code}`)
  if (!hasCode(result.left, code)) throw result.left
}
