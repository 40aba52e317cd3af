import { bestEffort } from './failures.js'
import type { Folder } from './folder.js'
import type { Manifest } from './manifestFile.js'
import { parseName } from './names.js'

/**
 * Removes what nothing names any more. Runs only after a publish of one's own.
 *
 * It removes slots older than the newest two that hold no retained checkpoint, segments that no retained checkpoint needs, and
 * temporary files, and what earlier runs left to say that they have ended; never of a higher epoch, never what the session is writing, never a name that does not parse. What cannot be
 * removed now is tried again after the next publish.
 *
 * @param current - the newest manifest of this session; asked before each removal, since it may have moved on
 */
export async function cleanUp(folder: Folder, current: () => Manifest | undefined): Promise<void> {
  await bestEffort(async () => {
    for (const name of await folder.files.list(folder.path)) {
      const manifest = current()
      if (manifest !== undefined && removable(name, manifest, folder)) await bestEffort(() => folder.files.unlink(`${folder.path}/${name}`))
    }
  })
}

function removable(name: string, manifest: Manifest, { live, held }: Folder): boolean {
  const parsed = parseName(name)
  if (parsed === undefined || live.has(name)) return false
  for (const names of held.values()) if (names.includes(name)) return false
  if (parsed.kind === 'slot') return parsed.seq < manifest.seq - 1 && !manifest.retained.some(({ seq }) => seq === parsed.seq)
  if (parsed.epoch > manifest.epoch) return false
  if (parsed.kind === 'released') return parsed.epoch < manifest.epoch
  return parsed.kind === 'temporary' || !manifest.retained.some(({ segments }) => segments.includes(name))
}
