import fc from 'fast-check'
import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { memory } from '../../backends/memory/index.js'
import { CrashFs } from '../../laws/crashFs.js'
import { must, readAll } from '../../laws/storageHistory.js'
import { emits } from '../../lib/emits.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, RowChunk } from '../../lib/ports/checkpointStorage.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { Ttl } from '../../lib/state/ttl.js'
import { valueState } from '../../lib/state/valueState.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { modelDirectory } from '../simulation/directoryModel.js'
import { type FedStream, handFed } from '../support/handFed.js'
import { type HandCheckpoint, HandRun } from '../support/handRun.js'
import { manualClock } from '../support/manualClock.js'

type Step =
  | { readonly kind: 'add' | 'read' | 'clear' | 'touch'; readonly key: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'checkpoint' | 'abort' | 'crash' }

const keyed = fc.record({ kind: fc.constantFrom('add', 'add', 'read', 'read', 'read', 'clear', 'touch'), key: fc.nat(2) }) as fc.Arbitrary<Step>
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: keyed },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(5, 20, 42, 45, 50) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('checkpoint' as const, 'checkpoint' as const, 'abort' as const, 'crash' as const) }) },
)

/** Every kind of state under one TTL, told what to do by record. */
const kept = (ttl: Ttl) =>
  processKeyed(
    'kept',
    {
      state: { one: valueState(t.number, { ttl }), list: listState(t.number, { ttl }), map: mapState(t.string, t.number, { ttl }) },
      emits: emits<string>(),
    },
    {
      onRecord: ([command, n]: [string, number], { state: { one, list, map }, key, emit }) => {
        if (command === 'add') {
          one.update(n)
          list.add(n)
          map.put(`of ${n % 3}`, n)
        } else if (command === 'touch') one.update((one.value() ?? 0) + 1)
        else if (command === 'clear') {
          one.clear()
          list.clear()
          map.clear()
        } else if (command === 'read') emit(`${key}: ${one.value()} [${[...list]}] {${[...map.entries()].map(String).sort()}}`)
      },
    },
  )

/** Plays steps on a storage, with crashes, and answers what was read, and how many rows the storage has in the end. */
async function played(steps: readonly Step[], ttl: Ttl, storage: CheckpointStorage): Promise<{ readonly reads: string[]; readonly stored: number }> {
  const clock = manualClock()
  const reads: string[] = []
  let session = await must(storage.open(jobName('j')))
  let eventMs = 0
  const begin = async () => {
    const latest = await must(session.latest())
    let from: HandCheckpoint | undefined
    if (O.isSome(latest)) {
      const chunks: RowChunk[] = []
      await must(latest.value.readRows((chunk) => void chunks.push(chunk)))
      from = { metas: new Map([['kept', JSON.stringify((latest.value.body as { meta: never }).meta)]]), chunks }
      eventMs = (latest.value.body as unknown as { eventMs: number }).eventMs
    }
    await must(session.takeOver(latest))
    const fed = handFed(kept(ttl) as unknown as (source: FedStream) => FedStream, new HandRun({ clock }))
    fed.start(true)
    fed.run.open(from)
    return fed
  }
  let fed = await begin()
  let id = 0
  let n = 0
  for (const each of steps) {
    if ('key' in each) {
      fed.record([each.kind, (n += 1)], eventMs, `k${each.key}`)
      reads.push(...fed.out.records.splice(0).map(({ value }) => String(value)))
    } else if (each.kind === 'pass') {
      eventMs += each.ms
      fed.watermark(eventMs - 1)
      await clock.advance(each.ms)
    } else if (each.kind === 'crash') {
      fed.out.subscription.unsubscribe()
      await session.close()()
      session = await must(storage.open(jobName('j')))
      fed = await begin()
    } else {
      id += 1
      fed.barrier(id)
      await persisted(fed.run, session, { id, eventMs, publish: each.kind === 'checkpoint' })
    }
    if (fed.run.failures.length > 0) throw fed.run.failures[0]
  }
  const latest = await must(session.latest())
  const stored = O.isSome(latest) ? (await readAll(latest.value)).rows.size : 0
  await session.close()()
  return { reads, stored }
}

async function persisted(run: HandRun, session: CheckpointSession, { id, eventMs, publish }: { id: number; eventMs: number; publish: boolean }) {
  const snapshot = run.acknowledged.find((each) => each.id === id)?.snapshot
  if (snapshot === undefined) throw new Error('no snapshot')
  const writer = session.begin(checkpointId(id))
  for (const capture of snapshot.tables) {
    const frames = new RowFrames()
    while (capture.encode(frames, 2));
    if (frames.rows > 0) await must(writer.write({ uid: operatorUid('kept'), table: capture.table, rows: frames.rows, bytes: frames.take() }))
    if (publish) capture.release()
    else capture.giveBack()
  }
  if (!publish) return writer.abort()()
  await must(writer.publish({ meta: snapshot.meta, eventMs }, (_uid, table) => snapshot.tables.find((each) => each.table === table)?.expired))
  await session.idle()()
}

const cleaning = { cleanupFullSnapshot: true, cleanupInCompactFilter: true }
const storages: Record<string, () => CheckpointStorage> = {
  'in memory': () => memory({ retainedCheckpoints: 1 }),
  'in a directory': () => modelDirectory(new CrashFs(), 1, { compactAfterSegments: 2 }),
}

describe('cleaning what has expired out of checkpoints', () => {
  for (const [where, storage] of Object.entries(storages))
    for (const time of ['processing', 'event'] as const)
      for (const refresh of ['onWrite', 'onReadAndWrite'] as const)
        it(`changes nothing that is read: ${where}, ${time} time, touched ${refresh}`, () =>
          fc.assert(
            fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80, size: 'max' }), fc.boolean(), async (steps, both) => {
              const ttl: Ttl = { afterMs: 50, time, refresh, cleanup: 'onRead' }
              const cleaned = await played(steps, { ...ttl, ...(both ? cleaning : { cleanupInCompactFilter: true }) }, storage())
              const plain = await played(steps, ttl, memory())
              expect(cleaned.reads).toEqual(plain.reads)
              expect(cleaned.stored).toBeLessThanOrEqual(plain.stored)
            }),
            { numRuns: 40 },
          ))

  const adds: readonly Step[] = Array.from({ length: 4 }, (_, key) => ({ kind: 'add', key }))
  const checkpoint: Step = { kind: 'checkpoint' }
  const pass: Step = { kind: 'pass', ms: 100 }

  it('leaves out what has expired at the barrier', async () => {
    const steps = [...adds, pass, checkpoint, { kind: 'crash' } as const, checkpoint]
    const ttl: Ttl = { afterMs: 50, cleanup: 'onRead' }
    expect((await played(steps, ttl, memory())).stored).toBe(12)
    for (const storage of Object.values(storages)) expect((await played(steps, { ...ttl, cleanupFullSnapshot: true }, storage())).stored).toBe(0)
  })

  it('lets merges leave out what expired later, and keeps what did not', async () => {
    const later: Step[] = [{ kind: 'add', key: 0 }, checkpoint, { kind: 'add', key: 1 }, checkpoint, { kind: 'add', key: 1 }, checkpoint, checkpoint]
    const steps = [...adds, checkpoint, pass, ...later]
    const ttl: Ttl = { afterMs: 50, cleanup: 'onRead' }
    for (const storage of Object.values(storages)) {
      const plain = await played(steps, ttl, storage())
      const cleaned = await played(steps, { ...ttl, cleanupInCompactFilter: true }, storage())
      expect(cleaned.stored).toBeLessThan(plain.stored)
      expect(cleaned.stored).toBeGreaterThan(0)
    }
  })

  it('looks at rows with every record where it was told to, whoever the record is about', async () => {
    const ttl: Ttl = { afterMs: 50, cleanup: { rowsPerAccess: 5, runForEveryRecord: true } }
    const noAccess: Step[] = Array.from({ length: 12 }, () => ({ kind: 'skip' as never, key: 3 }))
    const steps = [...adds, pass, ...noAccess, checkpoint, { kind: 'crash' } as const, checkpoint]
    const { stored } = await played(steps, ttl, memory())
    expect(stored).toBe(0)
    expect((await played(steps, { ...ttl, cleanup: { rowsPerAccess: 5 } }, memory())).stored).toBe(12)
  })
})
