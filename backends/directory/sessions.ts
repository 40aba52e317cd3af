import { BackendError } from '../../lib/errors.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'

/** What one copy of this module tells another about a session. Its shape is fixed: the other copy may be of another release. */
interface OpenSession {
  closing: boolean
  quiet: Promise<void>
}

interface Registry {
  readonly real: Map<string, OpenSession>
  /** Each model of a file system has folders of its own. */
  readonly models: WeakMap<FileLayer, Map<string, OpenSession>>
}

/** Two copies of the module in one process must see each other, so the registry hangs on the process. */
const registryKey = Symbol.for('rxweir.directory.sessions')

function registry(): Registry {
  const holder = globalThis as { [registryKey]?: Registry }
  holder[registryKey] ??= { real: new Map(), models: new WeakMap() }
  return holder[registryKey]
}

/** The claim of one session on one folder, within this process. */
export interface Claim {
  /** The session publishes nothing from now on; whoever wants the folder waits for `quiet`. */
  closing(quiet: Promise<void>): void
}

/** Waits until a session that is closing is quiet; refuses while one is open. `model` is undefined for the real file system. */
export async function claimFolder(folder: string, model: FileLayer | undefined): Promise<Claim> {
  const { real, models } = registry()
  let sessions = real
  if (model !== undefined) {
    sessions = models.get(model) ?? new Map<string, OpenSession>()
    models.set(model, sessions)
  }
  for (;;) {
    const other = sessions.get(folder)
    if (other === undefined) break
    if (!other.closing) throw new BackendError('BACKEND_IN_USE', { folder })
    await other.quiet
  }
  const own: OpenSession = { closing: false, quiet: Promise.resolve() }
  sessions.set(folder, own)
  return {
    closing(quiet) {
      own.closing = true
      own.quiet = quiet.then(() => {
        sessions.delete(folder)
      })
    },
  }
}
