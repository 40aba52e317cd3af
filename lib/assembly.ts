import { ConfigurationError } from './errors.js'

/**
 * The uids of the job that is being assembled. A graph function is synchronous, so there is one at a time, also when two copies
 * of the module are loaded.
 */
const place: unique symbol = Symbol.for('rxweir.assembly') as never
const world = globalThis as { [place]?: Set<string> | undefined }

/** Calls a graph function and collects the uids of the operators that it applies. */
export function assemble<T>(build: () => T): { readonly result: T; readonly uids: ReadonlySet<string> } {
  const outer = world[place]
  const uids = new Set<string>()
  world[place] = uids
  try {
    return { result: build(), uids }
  } finally {
    world[place] = outer
  }
}

/** An operator was applied. */
export function assembled(uid: string | undefined): void {
  const uids = world[place]
  if (uid === undefined || uids === undefined) return
  if (uids.has(uid)) throw new ConfigurationError('UID_DUPLICATE', { uid })
  uids.add(uid)
}
