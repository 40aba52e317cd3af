import fc from 'fast-check'
import { jobName } from '../lib/identity.js'
import type { CheckpointStorage } from '../lib/ports/checkpointStorage.js'
import type { Journal } from '../lib/ports/journal.js'
import { unwrap } from '../lib/task.js'
import { type Law, law } from './law.js'
import { same } from './same.js'

/** A storage that has a journal, in the hands of a law; empty for each case. */
export interface JournalFixture {
  /** The one storage as another process sees it each time. */
  storage(): CheckpointStorage
  dispose(): Promise<void>
}

const job = jobName('law')

/** Opens the journal as a run does that takes over from whoever has it. */
async function openedIn(storage: CheckpointStorage): Promise<Journal> {
  const session = await unwrap(storage.open(job))
  await unwrap(session.takeOver(await unwrap(session.latest())))
  if (session.journal === undefined) throw new Error('the storage has no journal')
  return unwrap(session.journal())
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const groups = fc.array(fc.array(text, { maxLength: 5 }), { minLength: 1, maxLength: 8 })

async function readAll(journal: Journal, from: number, entriesMax: number): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const entries = await unwrap(journal.read(from + found.length, entriesMax))
    if (entries.length === 0) return found
    if (entries.length > entriesMax) throw new Error(`a read of at most ${entriesMax} entries answered ${entries.length}`)
    found.push(...entries)
  }
}

/**
 * What every journal promises.
 *
 * @example Checking the journal of a storage
 * ```ts
 * const make = async () => {
 *   const store = new MemoryStore()
 *   return { storage: () => memory({ store }), dispose: async () => {} }
 * }
 * for (const law of journalLaws(make)) await law.check({ runs: 5, seed: 1 })
 * journalLaws(make).length // => 4
 * ```
 * @category laws
 * @since 0.2.0
 */
export function journalLaws(make: () => Promise<JournalFixture>): readonly Law[] {
  const withJournal = <Drawn>(drawn: fc.Arbitrary<Drawn>, check: (opened: { open(): Promise<Journal> }, drawn: Drawn) => Promise<void>) =>
    fc.asyncProperty(drawn, async (given) => {
      const fixture = await make()
      try {
        await check({ open: () => openedIn(fixture.storage()) }, given)
      } finally {
        await fixture.dispose()
      }
    })

  return [
    law('append-order', 'what was appended is read in its order, however it was grouped', () =>
      withJournal(fc.tuple(groups, fc.integer({ min: 1, max: 4 }), fc.nat()), async ({ open }, [appended, entriesMax, nat]) => {
        const journal = await open()
        await Promise.all(appended.map((group) => unwrap(journal.append(group))))
        const all = appended.flat()
        same(journal.end, all.length, 'the number of the next entry')
        same(await readAll(journal, 0, entriesMax), all, 'what is read')
        const from = nat % (all.length + 1)
        same(await readAll(journal, from, entriesMax), all.slice(from), `what is read from ${from} on`)
        await journal.close()()
      }),
    ),
    law('reopen-equivalence', 'opening anew changes nothing that was acknowledged', () =>
      withJournal(fc.array(groups, { minLength: 1, maxLength: 4 }), async ({ open }, lives) => {
        const all: string[] = []
        for (const life of lives) {
          const journal = await open()
          same(journal.end, all.length, 'the number of the next entry')
          for (const group of life) {
            await unwrap(journal.append(group))
            all.push(...group)
          }
          same(await readAll(journal, 0, 3), all, 'what is read')
          await journal.close()()
        }
      }),
    ),
    law('trim-keeps-the-rest', 'a trim takes nothing from its number on, and no number changes', () =>
      withJournal(fc.array(fc.tuple(groups, fc.nat()), { minLength: 1, maxLength: 4 }), async ({ open }, lives) => {
        const all: string[] = []
        let trimmed = 0
        for (const [life, nat] of lives) {
          const journal = await open()
          for (const group of life) {
            await unwrap(journal.append(group))
            all.push(...group)
          }
          trimmed += nat % (all.length - trimmed + 1)
          await unwrap(journal.trim(trimmed))
          if (journal.first > trimmed) throw new Error(`entry ${trimmed} is gone: the first is ${journal.first}`)
          same(await readAll(journal, trimmed, 3), all.slice(trimmed), 'what is read')
          await journal.close()()
        }
      }),
    ),
    law('one-writer', 'what a writer appends after another has taken over is never read', () =>
      withJournal(fc.tuple(groups, groups, groups), async ({ open }, [before, late, after]) => {
        const first = await open()
        for (const group of before) await unwrap(first.append(group))
        const second = await open()
        // It may be refused, or not know yet.
        for (const group of late) await first.append(group)()
        for (const group of after) await unwrap(second.append(group))
        const expected = [...before, ...after].flat()
        same(await readAll(second, 0, 4), expected, 'what the new writer reads')
        await first.close()()
        await second.close()()
        const third = await open()
        same(await readAll(third, 0, 4), expected, 'what is read when both are gone')
        await third.close()()
      }),
    ),
  ]
}
