import { existsSync } from 'node:fs'
import { mkdir, open as openFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Database, open, type RootDatabase, type Transaction } from 'lmdb'
import { BackendError } from '../../lib/errors.js'
import type { RowKey } from '../../lib/paged/pagedStore.js'
import { rowKeyEncoder } from './rowKey.js'

/** A tree of the store. The declarations of the driver leave out what is documented for binary values and for own keys. */
export interface Tree {
  readonly lastSize: number
  getBinaryFast(key: RowKey, options: { readonly transaction: Transaction }): Uint8Array | undefined
  getRange(options: {
    readonly start: RowKey
    readonly end: RowKey
    readonly exclusiveStart: boolean
    readonly limit: number
    readonly transaction: Transaction
  }): { readonly asArray: readonly { readonly key: RowKey; readonly value: Uint8Array }[] }
  getKeysCount(options: { readonly start: RowKey; readonly end: RowKey; readonly transaction: Transaction }): number
  put(key: RowKey, value: Uint8Array): unknown
  remove(key: RowKey): unknown
  clearAsync(): unknown
}

const manifestKey = 'newest'

/**
 * The open file of one job.
 *
 * A commit is acknowledged when it is on the disk: the driver's overlapping of commits, which acknowledges what only other
 * processes can see, is off, and so is its batching by turn, of which a failure would reject a promise that nobody has.
 */
export class Environment {
  private readonly root: RootDatabase
  private readonly manifests: Database<Uint8Array, string>
  readonly trees: readonly [Tree, Tree]

  constructor(readonly file: string) {
    const binary = { encoding: 'binary' } as const
    this.root = open({ path: file, ...binary, maxDbs: 3, noSubdir: true, overlappingSync: false, eventTurnBatching: false, ...ownersOnly })
    try {
      this.manifests = this.root.openDB('manifest', { ...binary, useVersions: true })
      const tree = (name: string): Tree => this.root.openDB(name, { ...binary, keyEncoder: rowKeyEncoder } as typeof binary) as unknown as Tree
      this.trees = [tree('rows0'), tree('rows1')]
    } catch (error) {
      void this.root.close()
      throw error
    }
  }

  /** Opens the file if it is there. */
  static async ifThere(file: string): Promise<Environment | undefined> {
    if (!existsSync(file)) return undefined
    await checkOwner(dirname(file))
    return new Environment(file)
  }

  /** Opens the file, or makes it, so that a power cut does not take its name away. */
  static async make(file: string): Promise<Environment> {
    const folder = dirname(file)
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    await checkOwner(folder)
    const environment = new Environment(file)
    const last = dirname(made ?? folder)
    for (let path = folder; ; path = dirname(path)) {
      await syncFolder(path)
      if (path === last) return environment
    }
  }

  /** The newest state of the file, held until it is let go. */
  read(): { readonly transaction: Transaction; readonly manifest: Uint8Array | undefined } {
    this.root.resetReadTxn()
    const transaction = this.root.useReadTransaction()
    const found = this.manifests.get(manifestKey, { transaction })
    return { transaction, manifest: found === undefined ? undefined : new Uint8Array(found) }
  }

  /**
   * Writes in one transaction, provided that the manifest still has this number; without one, that there is none. False where it
   * has another: then nothing is written.
   */
  commit(seq: number, write: () => void): Promise<boolean> {
    return seq === 0 ? this.manifests.ifNoExists(manifestKey, write) : this.manifests.ifVersion(manifestKey, seq, write)
  }

  /** Part of a commit: the manifest, under its number. */
  putManifest(bytes: Uint8Array, seq: number): void {
    void this.manifests.put(manifestKey, bytes, seq)
  }

  /** How much of the file is in use, or was. */
  get bytes(): number {
    const { lastPageNumber, pageSize } = this.root.getStats() as { readonly lastPageNumber: number; readonly pageSize: number }
    return (lastPageNumber + 1) * pageSize
  }

  async close(): Promise<void> {
    await this.root.close()
  }
}

/** The driver takes the mode of new files, which its declarations leave out. */
const ownersOnly = { permissionsMode: 0o600 }

const othersMayWrite = 0o022

/** Refuses a folder where others could put a file of theirs. Windows has no such owners and modes. */
async function checkOwner(folder: string): Promise<void> {
  const user = process.geteuid?.()
  if (user === undefined) return
  const { uid, mode } = await stat(folder)
  if (uid !== user) throw new BackendError('BACKEND_NOT_OWNED', { path: folder, reason: 'it belongs to another user' })
  if ((mode & othersMayWrite) !== 0) throw new BackendError('BACKEND_NOT_OWNED', { path: folder, reason: 'others may write to it' })
}

/** On Windows directories can not be synced. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await openFile(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
