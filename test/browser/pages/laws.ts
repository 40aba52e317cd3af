/** The laws of storages and of journals, on the database of a real browser. */
import { indexeddb } from 'rxweir/backends/indexeddb'
import { journalLaws, storageLaws } from 'rxweir/laws'
import { indexeddbIn } from '../../../backends/indexeddb/indexeddb.js'
import { encryption } from '../../support/sealingKeys.js'
import { say } from './say.js'

let cases = 0
const another = (): string => `case-${(cases += 1)}`
const isSealed = new URLSearchParams(location.search).has('sealed')
const sealing = isSealed ? ({ encryption: encryption(1), compression: 'zlib' } as const) : {}
/** Tabs that have the same database, each with locks of its own: what is left to tell them apart is the epoch. */
const tabs = () => {
  const name = another()
  const locks = (): Pick<LockManager, 'request'> => {
    const own = another()
    return {
      request: ((lock: string, ...rest: unknown[]) => Reflect.apply(navigator.locks.request, navigator.locks, [own + lock, ...rest])) as never,
    }
  }
  return () => indexeddbIn(new WeakMap(), { ...sealing, name, browser: { indexedDB, IDBKeyRange, locks: locks() } })
}

const laws = [
  ...storageLaws(
    () => {
      const tab = tabs()
      return { storage: tab(), otherProcess: tab }
    },
    { twoProcesses: true },
  ),
  ...storageLaws(() => ({ storage: indexeddb({ ...sealing, name: another() }) }), { twoProcesses: false }).filter(
    ({ name }) => name === 'closed-is-closed',
  ),
  ...journalLaws(async () => ({ storage: tabs(), dispose: async () => undefined })),
]

try {
  for (const law of laws) await law.check({ runs: 1 })
  say(`held: ${laws.length}`)
} catch (error) {
  say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
}
