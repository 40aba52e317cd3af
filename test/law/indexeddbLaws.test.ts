import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { describe, it } from 'vitest'
import { indexeddbIn } from '../../backends/indexeddb/indexeddb.js'
import { journalLaws } from '../../laws/journalLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { TabLocks } from '../support/tabLocks.js'

/** One browser; each storage in it is that of a tab. */
function tabs(retainedCheckpoints: number) {
  const indexedDB = new IDBFactory()
  // Each tab has locks of its own: what is left to tell them apart is the epoch.
  return () => indexeddbIn(new WeakMap(), { retainedCheckpoints, browser: { indexedDB, IDBKeyRange, locks: new TabLocks() } })
}

describe('checkpoints in IndexedDB', () => {
  const make = () => {
    const tab = tabs(2)
    return { storage: tab(), otherProcess: tab }
  }
  for (const law of storageLaws(make, { twoProcesses: true })) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))
})

describe('the journal in IndexedDB', () => {
  const make = async () => ({ storage: tabs(2), dispose: async () => undefined })
  for (const law of journalLaws(make)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 5 }))
})
