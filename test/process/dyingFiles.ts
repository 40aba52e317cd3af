import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'

/** The real file system, until the operation of that number: the process is killed before it, after it, or in the middle of a write. */
export function dyingFiles(dieAt: number): FileLayer {
  let operations = 0
  const die = (): never => {
    process.kill(process.pid, 'SIGKILL')
    throw new Error('killed')
  }
  const changing = async <A>(work: () => Promise<A>, half?: () => Promise<unknown>): Promise<A> => {
    operations += 1
    if (operations !== dieAt) return work()
    if (dieAt % 3 === 0) return die()
    await (dieAt % 3 === 1 && half !== undefined ? half() : work())
    return die()
  }
  const opened = (file: OpenFile): OpenFile => ({
    read: (into, position) => file.read(into, position),
    size: () => file.size(),
    identify: () => file.identify(),
    close: () => file.close(),
    write: (bytes, position) =>
      changing(
        () => file.write(bytes, position),
        () => file.write(bytes.subarray(0, bytes.length >> 1), position),
      ),
    sync: () => changing(() => file.sync()),
    truncate: (bytes) => changing(() => file.truncate(bytes)),
  })
  return {
    create: async (path) => opened(await changing(() => nodeFiles.create(path))),
    open: async (path) => opened(await nodeFiles.open(path)),
    link: (from, to) => changing(() => nodeFiles.link(from, to)),
    rename: (from, to) => changing(() => nodeFiles.rename(from, to)),
    unlink: (path) => changing(() => nodeFiles.unlink(path)),
    makeDirectory: (path) => changing(() => nodeFiles.makeDirectory(path)),
    list: (path) => nodeFiles.list(path),
    size: (path) => nodeFiles.size(path),
    identify: (path) => nodeFiles.identify(path),
    syncDirectory: (path) => changing(() => nodeFiles.syncDirectory(path)),
  }
}
