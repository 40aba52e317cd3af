import { BackendError } from '../../lib/errors.js'

/** What one copy of this module tells another about a session. Its shape is fixed: the other copy may be of another release. */
interface OpenSession {
  closing: boolean
  quiet: Promise<void>
}

/** Sessions by the file that they are about. */
export type Registry = Map<string, OpenSession>

/** Two copies of the module in one process must see each other, so the registry hangs on the process. */
const registryKey = Symbol.for('rxweir.lmdb.sessions')

export function sessionsOfProcess(): Registry {
  const holder = globalThis as { [registryKey]?: Registry }
  holder[registryKey] ??= new Map()
  return holder[registryKey]
}

/** Waits until a session that is closing is quiet; refuses while one is open. Answers what a session calls when it begins to close. */
export async function claim(sessions: Registry, file: string): Promise<(quiet: Promise<void>) => void> {
  for (let other = sessions.get(file); other !== undefined; other = sessions.get(file)) {
    if (!other.closing) throw new BackendError('BACKEND_IN_USE', { file })
    await other.quiet
  }
  const own: OpenSession = { closing: false, quiet: Promise.resolve() }
  sessions.set(file, own)
  return (quiet) => {
    own.closing = true
    own.quiet = quiet.then(() => {
      sessions.delete(file)
    })
  }
}
