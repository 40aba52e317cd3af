import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { FileIdentity, FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'

/** A write of 2 GiB or more is refused by Node; the callers loop on short writes anyway. */
const writeBytesMax = 1024 * 1024 * 1024
/** Windows has no `O_NOFOLLOW`; there the constant is missing. */
const noFollow = constants.O_NOFOLLOW ?? 0
/** What the owner of an ancestor directory may deny us. The entry below it is not ours to make durable, then. */
const denied = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOTSUP'])

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code

/** Inodes are given out again, so the time of birth stands beside the number. */
const identityOf = ({ ino, birthtimeNs, size }: BigIntStats): FileIdentity => ({
  id: `${ino.toString(36)}-${birthtimeNs.toString(36)}`,
  bytes: Number(size),
})

class NodeFile implements OpenFile {
  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return (await this.handle.write(bytes, 0, Math.min(bytes.length, writeBytesMax), position)).bytesWritten
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return into.length === 0 ? 0 : (await this.handle.read(into, 0, Math.min(into.length, writeBytesMax), position)).bytesRead
  }

  sync(): Promise<void> {
    return this.handle.sync()
  }

  async size(): Promise<number> {
    return (await this.handle.stat()).size
  }

  async identify(): Promise<FileIdentity> {
    return identityOf(await this.handle.stat({ bigint: true }))
  }

  truncate(bytes: number): Promise<void> {
    return this.handle.truncate(bytes)
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows can not open a directory for this. Names are journaled by NTFS, which is a weaker promise; the guide says so.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Also syncs the entries that exist already: a run that was killed between `mkdir` and the sync left an entry that a power cut
 * would take away, with everything that was put below it since.
 */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path)
  if (parent === path) return
  await makeDirectory(parent)
  const existed = await isDirectory(path)
  if (!existed) {
    try {
      await mkdir(path, 0o700)
    } catch (error) {
      // Somebody else made it meanwhile, or a file stands in the way.
      if (codeOf(error) !== 'EEXIST' || !(await isDirectory(path))) throw error
    }
  }
  try {
    await syncDirectory(parent)
  } catch (error) {
    if (existed && denied.has(String(codeOf(error)))) return
    // A later sync could not be believed for this entry, so the next attempt makes a new one.
    if (!existed) await rmdir(path).catch(() => undefined)
    throw error
  }
}

/** The file system of the machine, through `node:fs/promises`. */
export const nodeFiles: FileLayer = {
  create: async (path) => new NodeFile(await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | noFollow, 0o600)),
  open: async (path) => new NodeFile(await open(path, 'r')),
  link,
  rename,
  unlink,
  makeDirectory: (path) => makeDirectory(resolve(path)),
  list: (path) => readdir(path),
  async size(path) {
    try {
      return (await stat(path)).size
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  async identify(path) {
    try {
      const stats = await stat(path, { bigint: true })
      return stats.isFile() ? identityOf(stats) : undefined
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  syncDirectory,
}
