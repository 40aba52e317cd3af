import type { CheckpointId } from '../identity.js'
import type { KeyRange, KeyValueWrites } from '../ports/keyValueStore.js'
import type { Head } from './head.js'
import { besides, undoBefore } from './places.js'

/**
 * Removes what nobody needs any more, up to so many keys. Answers whether that was all.
 *
 * @param written - the generations that whole checkpoints are being written to
 */
export async function cleanUp(at: KeyValueWrites, head: Head, written: ReadonlySet<number>, keysMax: number): Promise<boolean> {
  let room = keysMax
  for (const range of unneeded(head, written)) {
    const keys = await at.keys(range, room)
    for (const key of keys) at.remove(key)
    room -= keys.length
    if (room === 0) return false
  }
  return true
}

function unneeded({ checkpoints, generation, indexed }: Head, written: ReadonlySet<number>): readonly KeyRange[] {
  const oldest = new Map<number, CheckpointId>()
  for (const each of checkpoints) if (!oldest.has(each.generation)) oldest.set(each.generation, each.id as CheckpointId)
  const generations = [...new Set([...oldest.keys(), ...written, generation])]
  return [
    ...besides(
      2,
      checkpoints.map(({ id }) => id),
    ),
    ...besides(3, generations),
    ...besides(4, generations),
    ...(indexed === undefined ? [] : besides(7, generations)),
    ...[...oldest].map(([kept, id]) => undoBefore(kept, id)),
  ]
}
