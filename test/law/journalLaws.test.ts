import { describe, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { CrashFs } from '../../laws/crashFs.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import { type JournalFixture, journalLaws } from '../../laws/journalLaws.js'
import { invariant } from '../../lib/errors.js'
import { jobName } from '../../lib/identity.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import { unwrap } from '../../lib/task.js'

/** Each opening is a storage of its own, as another process has one. */
async function openedIn(storage: CheckpointStorage): Promise<Journal> {
  const session = await unwrap(storage.open(jobName('law')))
  await unwrap(session.takeOver(await unwrap(session.latest())))
  invariant(session.journal !== undefined, 'this storage has a journal')
  return unwrap(session.journal())
}

const fixtures: { readonly [storage: string]: () => Promise<JournalFixture> } = {
  memory: async () => {
    const store = new MemoryStore()
    return { open: () => openedIn(memory({ store })), dispose: async () => undefined }
  },
  directory: async () => {
    const files = new CrashFs()
    let openings = 0
    // Two processes do not see each other's sessions: each has a file layer of its own.
    const open = (): Promise<Journal> => {
      openings += 1
      const token = String(openings).padStart(8, '0')
      return openedIn(directory('/state', { files: asProcess(files, () => 0), token: () => token }))
    }
    return { open, dispose: async () => undefined }
  },
}

for (const [name, make] of Object.entries(fixtures))
  describe(`the journal of ${name}`, () => {
    for (const law of journalLaws(make)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 60 }))
  })
