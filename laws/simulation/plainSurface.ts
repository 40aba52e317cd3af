import { encodeKey, type Key } from '../../lib/key.js'
import { encodeTagged } from '../../lib/taggedJson.js'
import type { Life } from './life.js'
import { PlainTarget, plainSink } from './plainSink.js'
import { PlainStore, plainStorage } from './plainStorage.js'
import type { Seen, Surface } from './surface.js'

/** A record as text: two that look the same are the same. */
export const textOf = (value: unknown): string => {
  try {
    return encodeTagged(value)
  } catch {
    return String(value)
  }
}

const seen = (value: unknown, key: unknown): Seen => ({ key: key === undefined ? '' : encodeKey(key as Key), text: textOf(value) })

/** Objects that outlive the processes: what is in them is durable at once. */
export function plainSurface(): Surface {
  const store = new PlainStore()
  const targets = new Map<string, PlainTarget>()
  const target = (uid: string): PlainTarget => {
    const known = targets.get(uid) ?? new PlainTarget()
    targets.set(uid, known)
    return known
  }
  return {
    storage: () => plainStorage(store),
    sink: (uid, life: Life) =>
      plainSink(target(uid), {
        seen,
        fails: () => life.fault('sink'),
        full: () => life.world.below(40) === 0,
        drained: () => life.step('sink', 'sink drained'),
      }),
    committed: (uid) => target(uid).committed,
    died() {},
    newest: () => {
      const { checkpoint } = store.slot
      return checkpoint === undefined ? undefined : { body: JSON.parse(checkpoint.body), chunks: checkpoint.chunks }
    },
    leftovers: () => [...targets].flatMap(([uid, { pending }]) => [...pending.keys()].map((name) => `${uid} ${name}`)),
  }
}
