import { ConfigurationError } from './errors.js'
import { wholeWithin } from './keyGroup.js'
import type { CheckpointStorage } from './ports/checkpointStorage.js'
import type { StateBackend } from './ports/stateBackend.js'

/** More than so many at a time is a mistake: each keeps what had changed at its barrier. */
const most = 100

/** What the options of checkpoints say about it. */
interface Concurrency {
  readonly concurrentMax?: number
  readonly minPauseMs?: number
  readonly unaligned?: boolean
}

/** How many checkpoints may be under way at a time. A pause between two of them leaves room for one. */
export const concurrentMaxOf = ({ concurrentMax = 1, minPauseMs = 0 }: Concurrency): number => (minPauseMs > 0 ? 1 : concurrentMax)

/** Refuses more checkpoints at a time than the rest of the options can do. */
export function checkConcurrent(
  options: Concurrency,
  { storage, state }: { readonly storage: CheckpointStorage; readonly state: StateBackend },
): void {
  const { concurrentMax: found = 1, unaligned = false } = options
  const refuse = (expected: string): never => {
    throw new ConfigurationError('OPTION_INVALID', { option: 'checkpoints.concurrentMax', found, expected })
  }
  wholeWithin('checkpoints.concurrentMax', found, 1, most)
  if (found > 1 && unaligned) refuse('1 where barriers may overtake records')
  if (concurrentMaxOf(options) === 1) return
  if (storage.manifest.concurrentWriters !== true) refuse(`1 where checkpoints go to '${storage.manifest.name}', which writes one at a time`)
  if (state.manifest.concurrentCaptures !== true)
    refuse(`1 where live rows stay in '${state.manifest.name}', which fixes their changes one at a time`)
}
