import { type DirectoryOptions, directory } from '../../backends/directory/directory.js'
import { CrashFs } from '../../laws/crashFs.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { type LivesContent, readLives, writeLives } from './lives.js'

/** A directory whose file names are the same each time. */
function golden(files: CrashFs, options: DirectoryOptions): CheckpointStorage {
  let tokens = 0
  return directory('/state', {
    files,
    clock: { nowMs: () => 0, callAt: () => () => undefined, yield: () => Promise.resolve() },
    token: () => {
      tokens += 1
      return tokens.toString(16).padStart(8, '0')
    },
    ...options,
  })
}

/** Writes two runs of a small job: checkpoints, a merge, and a journal that goes on. */
export async function writeDirectory(options: DirectoryOptions = {}): Promise<CrashFs> {
  const files = new CrashFs()
  await writeLives(golden(files, { compactAfterSegments: 2, ...options }))
  return files
}

/** Reads it all, and takes over, as the next run does. */
export const readDirectory = (files: CrashFs, options: DirectoryOptions = {}): Promise<LivesContent> => readLives(golden(files, options))

/** Files as a fixture keeps them. */
export const asFixture = (files: CrashFs): { readonly [path: string]: string } =>
  Object.fromEntries([...files.contents()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]))

export async function fromFixture(fixture: { readonly [path: string]: string }): Promise<CrashFs> {
  const files = new CrashFs()
  for (const [path, text] of Object.entries(fixture)) {
    await files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const file = await files.create(path)
    await file.write(Buffer.from(text, 'base64'), 0)
    await file.close()
  }
  return files
}
