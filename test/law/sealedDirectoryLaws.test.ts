import { describe, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { CrashFs } from '../../laws/crashFs.js'
import { chance } from '../../laws/crashFsChoices.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import { type JournalFixture, journalLaws } from '../../laws/journalLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { modelOptions } from '../simulation/directoryModel.js'
import { encryption } from '../support/sealingKeys.js'

const options = { encryption: encryption(1), compression: 'zlib' } as const

describe('a directory that is compressed and sealed', () => {
  let seed = 0
  const make = () => {
    const files = new CrashFs()
    const random = chance(seed++)
    const process = () =>
      directory('/state', { ...modelOptions(seed), ...options, files: asProcess(files, () => Math.floor(random() * 6)), compactAfterSegments: 3 })
    return { storage: process(), otherProcess: process }
  }
  for (const law of storageLaws(make, { twoProcesses: true })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 12 }))
})

describe('its journal', () => {
  const make = async (): Promise<JournalFixture> => {
    const files = new CrashFs()
    let openings = 0
    const storage = (): CheckpointStorage => {
      openings += 1
      const token = String(openings).padStart(8, '0')
      return directory('/state', { ...options, files: asProcess(files, () => 0), token: () => token })
    }
    return { storage, dispose: async () => undefined }
  }
  for (const law of journalLaws(make)) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 15 }))
})
