import type { Life } from '../../laws/simulation/life.js'
import { injected } from '../../laws/simulation/port.js'
import type { Surface } from '../../laws/simulation/surface.js'
import { BackendError } from '../../lib/errors.js'
import { attempt } from '../../lib/keyValue/attempt.js'
import { KeyValueSession } from '../../lib/keyValue/keyValueSession.js'
import { claim, type OpenSessions } from '../../lib/keyValue/openSessions.js'
import type { KeyValueStore } from '../../lib/ports/keyValueStore.js'
import { mapStore, Stored } from '../support/mapStore.js'
import { memorySurface } from './surfaces.js'

/** The store as one process sees it: each step waits its turn, some fail, and after the death of the process none has an effect. */
function storeIn(life: Life, stored: Stored): KeyValueStore {
  const store = mapStore(stored)
  return {
    read: (work) => life.ask('storage', 'store read', () => store.read(work)),
    write: (work) =>
      life.ask('storage', 'store write', async () => {
        if (life.fault('storage')) throw new BackendError('BACKEND_IO', injected)
        return store.write(work)
      }),
    close: async () => undefined,
  }
}

/** Checkpoints in a store of keys and values, and sinks in memory. */
export function keyValueSurface(seed: number, retained: number): Surface {
  const stored = new Stored()
  return {
    ...memorySurface(seed, retained),
    storage(life) {
      const sessions: OpenSessions = new WeakMap()
      return {
        manifest: { name: 'keys and values', durable: true, incremental: true, fencesProcesses: true, journals: true, concurrentWriters: true },
        open: (job, { readOnly = false } = {}) =>
          attempt(async () => {
            const closing = readOnly ? () => undefined : await claim(sessions, stored, job)
            return new KeyValueSession(storeIn(life, stored), { job, retainedCheckpoints: retained, clock: life, readOnly, closing })
          }),
      }
    },
  }
}
