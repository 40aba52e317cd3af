import { BackendError } from '../errors.js'

/** What one copy of this module tells another about a session. Its shape is fixed: the other copy may be of another release. */
interface OpenSession {
  closing: boolean
  quiet: Promise<void>
}

/** Sessions by what they are in, and by name. */
export type OpenSessions = WeakMap<object, Map<string, OpenSession>>

/** Two copies of the module must see each other, so the registry hangs on the global object. */
const registryKey = Symbol.for('rxweir.keyValue.sessions')

export function openSessions(): OpenSessions {
  const holder = globalThis as { [registryKey]?: OpenSessions }
  holder[registryKey] ??= new WeakMap()
  return holder[registryKey]
}

/** Waits until a session that is closing is quiet; refuses while one is open. Answers what a session calls when it begins to close. */
export async function claim(registry: OpenSessions, within: object, name: string): Promise<(quiet: Promise<void>) => void> {
  const sessions = registry.get(within) ?? new Map<string, OpenSession>()
  registry.set(within, sessions)
  for (let other = sessions.get(name); other !== undefined; other = sessions.get(name)) {
    if (!other.closing) throw new BackendError('BACKEND_IN_USE', { name })
    await other.quiet
  }
  const own: OpenSession = { closing: false, quiet: Promise.resolve() }
  sessions.set(name, own)
  return (quiet) => {
    own.closing = true
    own.quiet = quiet.then(() => {
      sessions.delete(name)
    })
  }
}
