import { describe, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { CrashFs } from '../../laws/crashFs.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import { type JournalFixture, journalLaws } from '../../laws/journalLaws.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'

const fixtures: { readonly [storage: string]: () => Promise<JournalFixture> } = {
  memory: async () => {
    const store = new MemoryStore()
    return { storage: () => memory({ store }), dispose: async () => undefined }
  },
  directory: async () => {
    const files = new CrashFs()
    let openings = 0
    // Two processes do not see each other's sessions: each has a file layer of its own.
    const storage = (): CheckpointStorage => {
      openings += 1
      const token = String(openings).padStart(8, '0')
      return directory('/state', { files: asProcess(files, () => 0), token: () => token })
    }
    return { storage, dispose: async () => undefined }
  },
}

for (const [name, make] of Object.entries(fixtures))
  describe(`the journal of ${name}`, () => {
    for (const law of journalLaws(make)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 60 }))
  })
