import { randomBytes } from 'node:crypto'
import { BackendError } from '../../lib/errors.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { bestEffort, fatal, storageFailure, systemCodeOf } from './failures.js'
import { type Manifest, manifestBytes, readManifest, writeManifest } from './manifestFile.js'
import { parseName, slotFile, slotsOf, temporaryFile } from './names.js'
import type { FileProtection } from './sealing/fileProtection.js'

/** What a file name has of chance, so that two writers never choose one name: 8 hex digits. */
export type Token = () => string
export const randomToken: Token = () => randomBytes(4).toString('hex')

/** A live writer may retire slots while we look for the newest. Each attempt that fails means that it published meanwhile. */
const lookAttempts = 8

/** The newest slot, or slot 0 without a manifest in a folder that has none yet. */
export interface Top {
  readonly seq: number
  readonly manifest: Manifest | undefined
}

/**
 * The folder of one job, as a session uses it.
 *
 * **Invariants**
 * - A slot is claimed by a link that fails where the name is taken, so each number has one owner. Every claim is for the number
 *   after the newest, so numbers have no gaps, and the newest slot is never removed.
 * - Of a slot's claim the name is the last thing: its bytes, the segments and their names are durable before.
 * - A writer that was fenced cannot come back by claiming a number that was removed since: after the link it looks at all names.
 *   The number was removed only after later ones had been claimed, and the newest two stay, so it sees one and gives way.
 *   (The look is one read of the directory, which is atomic on the file systems we know for a folder this small. Elsewhere a later
 *   number is missed only if two further claims and a removal fall into that one read.)
 *
 * **Fault model** Any call may fail, once or for ever; what was not synced may be lost or torn. A failed sync of the folder may
 * have spoilt names that a later sync reports as durable, so `syncFailures` is compared, and whatever was created before is
 * not used. Once a slot's name may be visible a failure cannot be taken back, since a successor may have read it: it is fatal, and
 * the next run finds the slot, or not, and goes on from there.
 */
export class Folder {
  /** Names that this session is writing, or has written and not published yet. Clean-up leaves them alone. */
  readonly live = new Set<string>()
  /** Names that somebody reads, by the checkpoint that needs them. */
  readonly held = new Map<number, readonly string[]>()
  syncFailures = 0

  constructor(
    readonly files: FileLayer,
    readonly path: string,
    readonly token: Token,
    readonly protection: FileProtection,
  ) {}

  async sync(): Promise<void> {
    try {
      await this.files.syncDirectory(this.path)
    } catch (error) {
      this.syncFailures += 1
      throw error
    }
  }

  /** Names are not durable when a sync failed since they were created, whatever a later one said. */
  requireSynced(failuresBefore: number): void {
    if (this.syncFailures !== failuresBefore)
      throw new BackendError('BACKEND_IO', { folder: this.path, reason: 'a sync of the folder failed meanwhile' })
  }

  /** All names; none where the folder does not exist. */
  async names(): Promise<readonly string[]> {
    try {
      return await this.files.list(this.path)
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  async top(): Promise<Top> {
    for (let attempt = 1; ; attempt += 1) {
      const names = await this.names()
      const seq = Math.max(0, ...slotsOf(names))
      if (seq === 0) {
        // The first slot is claimed before the first segment is written, so it cannot have been lost in a crash.
        if (names.some((name) => parseName(name)?.kind === 'segment'))
          throw new BackendError('SNAPSHOT_CORRUPT', { folder: this.path, reason: 'there are segments but no manifest' })
        return { seq, manifest: undefined }
      }
      try {
        return { seq, manifest: await this.read(seq) }
      } catch (error) {
        const retired = systemCodeOf((error as Error).cause) === 'ENOENT' && attempt < lookAttempts
        if (!retired) throw error
      }
    }
  }

  /** The manifest of a slot. */
  read(seq: number): Promise<Manifest> {
    return readManifest(this.files, this.path, seq, this.protection)
  }

  /** Claims the slot of a manifest, durably. `mayLink` throws when it must not happen any more; nothing comes between it and the link. */
  async claim(manifest: Manifest, mayLink: () => void): Promise<void> {
    const content = await manifestBytes(manifest, this.protection)
    const temporaryName = temporaryFile({ epoch: manifest.epoch, token: this.token() })
    const temporary = `${this.path}/${temporaryName}`
    const slot = `${this.path}/${slotFile(manifest.seq)}`
    const removeTemporary = (): Promise<void> => bestEffort(() => this.files.unlink(temporary))
    this.live.add(temporaryName)
    try {
      const failuresBefore = this.syncFailures
      try {
        await writeManifest(this.files, temporary, content)
        mayLink()
        await this.link(temporary, slot, manifest.seq)
      } catch (error) {
        await removeTemporary()
        throw error
      }
      try {
        await this.giveWay(slot, manifest.seq)
        await removeTemporary()
        await this.sync()
        this.requireSynced(failuresBefore)
      } catch (error) {
        throw fatal(storageFailure(error, { file: slotFile(manifest.seq) }))
      }
    } finally {
      this.live.delete(temporaryName)
    }
  }

  private async link(temporary: string, slot: string, seq: number): Promise<void> {
    try {
      await this.files.link(temporary, slot)
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error
      if (systemCodeOf(error) === 'EEXIST') throw fenced(seq, error)
      // The link did not happen, or its answer got lost, or a successor removed our temporary file.
      let newest: number
      try {
        newest = Math.max(0, ...slotsOf(await this.names()))
      } catch {
        throw fatal(storageFailure(error, { file: slotFile(seq) }))
      }
      if (newest >= seq) throw fenced(seq, error)
      throw error
    }
  }

  private async giveWay(slot: string, seq: number): Promise<void> {
    const newest = Math.max(0, ...slotsOf(await this.files.list(this.path)))
    if (newest <= seq) return
    // Nobody reads it, being older than the newest: if it stays, a later clean-up removes it.
    await bestEffort(() => this.files.unlink(slot))
    throw fenced(seq)
  }
}

const fenced = (seq: number, cause?: unknown): BackendError => new BackendError('BACKEND_FENCED', { file: slotFile(seq), fatal: true }, { cause })
