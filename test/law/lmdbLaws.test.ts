import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { lmdb, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { backendLaws } from '../../laws/backendLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { encryption } from '../support/sealingKeys.js'

describe('the tables of LMDB', () => {
  // Without a session they have no store; test/unit/lmdbTables.test.ts tries them with one.
  for (const law of backendLaws(() => lmdb('./state').state)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
})

describe.each([
  ['', {}, 3],
  [' that is compressed and sealed', { encryption: encryption(1), compression: 'zlib' }, 2],
] as const)('the store of LMDB%s', (_, options, runs) => {
  const laws = storageLaws(
    async () => {
      const path = await mkdtemp(join(tmpdir(), 'rxweir-'))
      return {
        storage: lmdb(path, options).storage,
        // Sessions that do not know of each other: what another process has.
        otherProcess: () => lmdbIn(new Map(), path, options).storage,
        dispose: () => rm(path, { recursive: true }),
      }
    },
    { twoProcesses: true },
  )
  for (const law of laws) it(`${law.name}: ${law.statement}`, () => law.check({ runs }))
})
