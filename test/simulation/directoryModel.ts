import { type DirectoryOptions, directory } from '../../backends/directory/directory.js'
import { chance } from '../../laws/crashFsChoices.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'

/** Time and chance of a simulation: yields are microtasks, tokens come from the seed. */
export function modelOptions(seed: number): Pick<DirectoryOptions, 'clock' | 'token'> {
  const random = chance(seed)
  return {
    clock: { nowMs: () => 0, callAt: () => () => undefined, yield: () => Promise.resolve() },
    token: () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
  }
}

export const modelDirectory = (files: FileLayer, seed: number, options: DirectoryOptions = {}): CheckpointStorage =>
  directory('/state', { ...modelOptions(seed), files, compactAfterSegments: 2, ...options })
