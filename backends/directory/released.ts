/**
 * Whether the run that holds a folder has closed it.
 *
 * A folder belongs to the run that took over last, whose epoch its newest manifest has. That run may be one of another process, and a file
 * cannot tell whether a process lives: so a run that closes the folder says so, in a file whose name has its epoch. Where it is missing the
 * run goes on, or has crashed.
 *
 * **Invariants** The file is made behind the last thing that the run writes, and a run that does not know what became of its last slot
 * makes none. It is not synced: a power cut that takes it away only lets a run that has ended pass for one that goes on.
 */
import { bestEffort } from './failures.js'
import type { Folder } from './folder.js'
import { releasedFile } from './names.js'

export const noteReleased = ({ files, path }: Pick<Folder, 'files' | 'path'>, epoch: number): Promise<void> =>
  bestEffort(async () => (await files.create(`${path}/${releasedFile(epoch)}`)).close())

export const isReleased = (names: readonly string[], epoch: number): boolean => names.includes(releasedFile(epoch))
