import { callbackSink } from '../../backends/functions/callbackSink.js'
import type { Life } from '../../laws/simulation/life.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import { injected } from '../../laws/simulation/port.js'
import type { Seen, Surface } from '../../laws/simulation/surface.js'
import { SinkError } from '../../lib/errors.js'
import { seen } from './surfaces.js'

/**
 * Sinks that know of no transactions: checkpoints carry their records until they have taken them. Each is told of a record more than once,
 * and knows it by its key; a call may fail before it has an effect, and its answer may get lost.
 */
export function carriedSurface(seed: number): Surface {
  const plain = plainSurface()
  const targets = new Map<string, Map<string, Seen>>()
  const target = (uid: string): Map<string, Seen> => {
    const known = targets.get(uid) ?? new Map<string, Seen>()
    targets.set(uid, known)
    return known
  }
  const fails = (life: Life): void => {
    if (life.fault('sink')) throw new SinkError('SINK_IO', injected)
  }
  return {
    storage: plain.storage,
    sink: (uid, life) =>
      callbackSink<unknown>({
        timeoutMs: Number.POSITIVE_INFINITY,
        recordsMax: 5,
        batchMax: 1 + (seed % 2),
        async deliverBatch(deliveries) {
          fails(life)
          await life.ask('sink', 'sink delivery', async () => {
            for (const { key, value } of deliveries) if (!target(uid).has(key)) target(uid).set(key, seen(value))
          })
          fails(life)
        },
      }),
    committed: (uid) => [...target(uid).values()],
    died() {},
    leftovers: () => [],
    ...(plain.newest === undefined ? {} : { newest: plain.newest }),
  }
}
