/** What becomes of the rows of a table where a job goes on in another number of instances. */
export type Redistribution =
  /** Each row belongs to the instance that has its key group. */
  | 'keyed'
  /** The elements of all instances, one list behind the other, are cut into even parts. */
  | 'split'
  /** Every instance gets the elements of all. */
  | 'union'
  /** Every instance has the same rows. */
  | 'whole'
  /** There is one for all records, so that there can only be one instance. */
  | 'single'

/**
 * Cuts what the instances had into contiguous parts, of which one has at most one element more than another. The instances that get one
 * more follow behind those that had one more of the list before, so that the small rest of many lists does not meet at the first.
 *
 * @param start - the instance that is the first to get one more
 * @returns the parts, and the start for the next list
 */
export function evenSplit<E>(lists: readonly (readonly E[])[], parallelism: number, start: number): { readonly parts: E[][]; readonly next: number } {
  // Where nothing changed, everybody keeps what is his.
  if (lists.length === parallelism) return { parts: lists.map((list) => [...list]), next: start }
  const all = lists.flat()
  const least = Math.floor(all.length / parallelism)
  const rest = all.length % parallelism
  const parts: E[][] = Array.from({ length: parallelism }, () => [])
  let at = 0
  for (let turn = 0; turn < parallelism; turn++) {
    const count = least + (turn < rest ? 1 : 0)
    parts[(start + turn) % parallelism] = all.slice(at, at + count)
    at += count
  }
  return { parts, next: (start + rest) % parallelism }
}
