import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import type { Life } from './life.js'

/** Files as one process sees them: each call waits its turn, and after the death of the process none has an effect. */
export function filesIn(life: Life, files: FileLayer): FileLayer {
  const after = async <A>(label: string, call: () => Promise<A>): Promise<A> => {
    await life.step('storage', `file ${label}`)
    return call()
  }
  const opened = (file: OpenFile): OpenFile => {
    life.open += 1
    return {
      write: (bytes, position) => after('write', () => file.write(bytes, position)),
      read: (into, position) => after('read', () => file.read(into, position)),
      sync: () => after('sync', () => file.sync()),
      size: () => after('size', () => file.size()),
      identify: () => after('identify', () => file.identify()),
      truncate: (bytes) => after('truncate', () => file.truncate(bytes)),
      close: async () => {
        await after('close', () => file.close())
        life.open -= 1
      },
    }
  }
  return {
    create: async (path) => opened(await after('create', () => files.create(path))),
    open: async (path) => opened(await after('open', () => files.open(path))),
    link: (from, to) => after('link', () => files.link(from, to)),
    rename: (from, to) => after('rename', () => files.rename(from, to)),
    unlink: (path) => after('unlink', () => files.unlink(path)),
    makeDirectory: (path) => after('makeDirectory', () => files.makeDirectory(path)),
    list: (path) => after('list', () => files.list(path)),
    size: (path) => after('size', () => files.size(path)),
    identify: (path) => after('identify', () => files.identify(path)),
    syncDirectory: (path) => after('syncDirectory', () => files.syncDirectory(path)),
  }
}
