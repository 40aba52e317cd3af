import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { BackendError } from '../../lib/errors.js'
import { systemCodeOf } from './failures.js'

const othersMayWrite = 0o022
const sticky = 0o1000

/**
 * Refuses a directory where others could plant or swap files. What does not exist yet is made by us, for us alone.
 *
 * Windows has no such owners and modes: there nothing is checked.
 */
export async function checkOwnership(path: string): Promise<void> {
  const user = process.geteuid?.()
  if (user === undefined) return
  let found: Awaited<ReturnType<typeof lstat>>
  try {
    found = await lstat(path)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return
    throw error
  }
  const refused = (reason: string): BackendError => new BackendError('BACKEND_NOT_OWNED', { path, reason })
  if (!found.isDirectory()) throw refused('it is no directory')
  if (found.uid !== user) throw refused('it belongs to another user')
  if ((found.mode & othersMayWrite) !== 0 && (found.mode & sticky) === 0) throw refused('others may write to it')
}

/** The path without symbolic links, also where its end does not exist yet. */
export async function resolvedPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    const parent = await resolvedPath(dirname(path))
    return parent.endsWith('/') ? `${parent}${basename(path)}` : `${parent}/${basename(path)}`
  }
}
