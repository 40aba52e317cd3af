import { either as E, option as O, taskEither as TE } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { broken, brokenHot } from '../guarantees/checks.js'
import { hotOutcomeOf } from '../guarantees/hotLives.js'
import { everyDeath, outcomeOf, type Parts } from '../guarantees/lives.js'
import { type Counted, type Reading, readings } from '../guarantees/records.js'
import type { Made, StorageOf, Target } from '../guarantees/rig.js'
import { targets } from '../guarantees/sinks.js'
import { sources } from '../guarantees/sources.js'
import { storages } from '../guarantees/storages.js'

const right: Parts = { source: sources.memorySource, storage: storages.directory, target: targets.jsonLinesSink }

/** A target that makes a transaction visible whenever it is told, or at its barrier, or not at all. Each is wrong. */
const wrongTarget =
  (visible: 'at each commit' | 'at the barrier' | 'never'): Made<Target> =>
  () => {
    const seen: { readonly value: Counted }[] = []
    const show = (values: readonly Counted[]): void => void seen.push(...values.map((value) => ({ value })))
    const sink: TransactionalSink<Counted> = {
      commits: 'transactional',
      open: () => {
        let values: Counted[] = []
        return TE.right({
          committedUpTo: () => TE.right(O.none),
          abortOthers: () => TE.right(undefined),
          write: (value) => void values.push(value),
          full: () => false,
          drained: async () => undefined,
          preCommit() {
            const handle = JSON.stringify(values)
            if (visible === 'at the barrier') show(values)
            values = []
            return TE.right(O.some(handle))
          },
          commit: (handle) => async () => {
            if (visible === 'at each commit') show(JSON.parse(String(handle)) as Counted[])
            return E.right(undefined)
          },
          close: () => async () => undefined,
        })
      },
    }
    return { sink: () => sink, seen: async () => seen }
  }

/** Where a source begins that counts wrongly. */
const shifted =
  (by: number): Parts['source'] =>
  () =>
  () => {
    const source: ReplayableSource<Reading> = memorySource(readings)
    return {
      ...source,
      open: (context) => source.open({ ...context, from: O.map((at) => Math.max(0, (at as number) + by))(context.from) }),
    }
  }

/** A storage that finds nothing. */
const forgettingStorage: Made<StorageOf> = () => () => ({ storage: memory({ store: new MemoryStore() }) })

describe('a part that does not keep its promise is noticed', () => {
  const outcome = (parts: Partial<Parts>) => outcomeOf({ ...right, ...parts }, { deaths: everyDeath })

  it('while parts that do are not', async () => {
    expect(broken('exactly once', await outcome({}))).toBeUndefined()
  })

  it('a sink that writes a commit again that comes again', async () => {
    expect(broken('exactly once', await outcome({ target: wrongTarget('at each commit') }))).toMatch(/^0 lost, [1-9]\d* doubled/)
  })

  it('a sink that makes visible what was never decided', async () => {
    const target = wrongTarget('at the barrier')
    expect(broken('exactly once', await outcome({ target }))).toMatch(/^0 lost, [1-9]\d* doubled/)
  })

  it('a sink that confirms a commit and forgets it', async () => {
    const target = wrongTarget('never')
    expect(broken('exactly once', await outcome({ target }))).toMatch(/^[1-9]\d* lost/)
  })

  it('a target that is told another key when a record comes again', async () => {
    let told = 0
    const target: Made<Target> = async (rig) => {
      const made = await targets.callbackSink(rig)
      return { ...made, seen: async () => (await made.seen()).map(({ value }) => ({ value, key: `${(told += 1)}` })) }
    }
    expect(broken('once by key', await outcome({ target }))).toMatch(/^by key: 0 lost, [1-9]\d* doubled/)
  })

  it('a sink that is said to commit once by key, or at least once, and does better', async () => {
    expect(broken('once by key', await outcome({}))).toBe('nothing came twice')
    expect(broken('at least once', await outcome({}))).toBe('nothing came twice')
  })

  it.each([
    [1, /^[1-9]\d* lost/],
    [-1, /^0 lost, [1-9]\d* doubled|wrong/],
  ])('a source that goes on %i beside its offset', async (by, reason) => {
    expect(broken('exactly once', await outcome({ source: shifted(by) }))).toMatch(reason)
  })

  it('a storage that forgets what it has published', async () => {
    expect(broken('exactly once', await outcome({ storage: forgettingStorage, target: wrongTarget('at each commit') }))).toMatch(/[1-9]\d* doubled/)
    await expect(outcome({ storage: forgettingStorage })).rejects.toMatchObject({ code: 'SINK_AHEAD' })
  })

  it('a journal that does not have what was noted down, and one that has what was not', async () => {
    const lives = { storage: storages.memory, delivery: 'withCheckpoint' } as const
    const [noted, notNoted] = [await hotOutcomeOf({ ...lives, journal: true }), await hotOutcomeOf({ ...lives, journal: false })]
    expect(brokenHot({ ...lives, journal: true }, noted)).toBeUndefined()
    expect(brokenHot({ ...lives, journal: true }, notNoted)).toMatch(/^by id: [1-9]\d* lost/)
    expect(brokenHot({ ...lives, journal: false }, notNoted)).toBeUndefined()
    expect(brokenHot({ ...lives, journal: false }, noted)).toMatch(/^by id: .* [1-9]\d* wrong/)
  })
})
