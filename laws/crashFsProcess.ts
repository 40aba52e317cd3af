import type { FileLayer } from '../lib/ports/fileLayer.js'

/** The same files as another process sees them: each call waits some turns first, so that the processes interleave. */
export function asProcess(files: FileLayer, turns: () => number): FileLayer {
  const later = async <A>(call: () => Promise<A>): Promise<A> => {
    for (let left = turns(); left > 0; left -= 1) await Promise.resolve()
    return call()
  }
  return {
    create: (path) => later(() => files.create(path)),
    open: (path) => later(() => files.open(path)),
    link: (from, to) => later(() => files.link(from, to)),
    rename: (from, to) => later(() => files.rename(from, to)),
    unlink: (path) => later(() => files.unlink(path)),
    makeDirectory: (path) => later(() => files.makeDirectory(path)),
    list: (path) => later(() => files.list(path)),
    size: (path) => later(() => files.size(path)),
    identify: (path) => later(() => files.identify(path)),
    syncDirectory: (path) => later(() => files.syncDirectory(path)),
  }
}
