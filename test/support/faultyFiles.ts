import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'

export interface FaultyFiles extends FileLayer {
  /** What was asked for, in order: the operation and the last part of its path. */
  readonly operations: readonly string[]
}

/** A file layer on which operations fail: `fault` is asked before each one, and what it answers is thrown. */
export function faultyFiles(files: FileLayer, fault: (operation: string, index: number) => Error | undefined): FaultyFiles {
  const operations: string[] = []
  const during = async <A>(name: string, path: string, work: () => Promise<A>): Promise<A> => {
    const operation = `${name} ${path.slice(path.lastIndexOf('/') + 1)}`
    const error = fault(operation, operations.push(operation))
    if (error !== undefined) throw error
    return work()
  }
  const open = (path: string, file: OpenFile): OpenFile => ({
    write: (bytes, position) => during('write', path, () => file.write(bytes, position)),
    read: (into, position) => during('read', path, () => file.read(into, position)),
    sync: () => during('sync', path, () => file.sync()),
    size: () => during('size', path, () => file.size()),
    identify: () => during('identify', path, () => file.identify()),
    truncate: (bytes) => during('truncate', path, () => file.truncate(bytes)),
    async close() {
      // A file is closed even where that fails.
      await file.close()
      await during('close', path, async () => undefined)
    },
  })
  return {
    operations,
    create: (path) => during('create', path, async () => open(path, await files.create(path))),
    open: (path) => during('open', path, async () => open(path, await files.open(path))),
    link: (from, to) => during('link', to, () => files.link(from, to)),
    rename: (from, to) => during('rename', to, () => files.rename(from, to)),
    unlink: (path) => during('unlink', path, () => files.unlink(path)),
    makeDirectory: (path) => during('makeDirectory', path, () => files.makeDirectory(path)),
    list: (path) => during('list', path, () => files.list(path)),
    size: (path) => during('size', path, () => files.size(path)),
    identify: (path) => during('identify', path, () => files.identify(path)),
    syncDirectory: (path) => during('syncDirectory', path, () => files.syncDirectory(path)),
  }
}

export const systemError = (code: string): Error => Object.assign(new Error(code), { code })
