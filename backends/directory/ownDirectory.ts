import { SinkError } from '../../lib/errors.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { systemCodeOf } from './failures.js'

const ownerPrefix = '.owner@'

/**
 * The name of the file that says whose directory this is. `@` is in no job name and in no uid, so the name says it without a byte of
 * content that could be torn. A `layout` other than one file a checkpoint has its own owners: the two never share a directory.
 */
export const ownerName = (job: string, uid: string, layout?: string): string =>
  `${ownerPrefix}${job}@${uid}${layout === undefined ? '' : `@${layout}`}`
const isOwnerName = (name: string): boolean => name.startsWith(ownerPrefix)

/** Takes the directory for the owner named, durably, before anything else is written there. Answers the names in it. */
export async function ownDirectory(files: FileLayer, path: string, owner: string, isPart: (name: string) => boolean): Promise<readonly string[]> {
  const refuseOthers = (names: readonly string[]): readonly string[] => {
    const other = names.find((name) => isOwnerName(name) && name !== owner)
    if (other !== undefined) throw new SinkError('SINK_SHARED', { path, found: other, expected: owner })
    return names
  }
  const names = refuseOthers(await files.list(path))
  if (names.includes(owner)) return names
  // The owner's name is durable before the first part, so parts without one were put here by somebody else.
  const stray = names.find(isPart)
  if (stray !== undefined) throw new SinkError('SINK_SHARED', { path, found: stray, expected: owner, reason: 'there are parts but no owner' })
  try {
    await (await files.create(`${path}/${owner}`)).close()
  } catch (cause) {
    if (systemCodeOf(cause) !== 'EEXIST') throw cause
    // Another run of ours was faster, or the file system takes another owner's name for the same: the list tells.
    if (!refuseOthers(await files.list(path)).includes(owner)) throw cause
  }
  try {
    const now = refuseOthers(await files.list(path))
    await files.syncDirectory(path)
    return now
  } catch (cause) {
    // Two owners came at once: both step back, so that the next one to try is alone. Or the sync failed: no later one would make
    // this name durable, so it must not be found by the next run either.
    await files.unlink(`${path}/${owner}`)
    throw cause
  }
}
