/**
 * The names of files in the folder of a journal. Only names that parse are ever read or removed.
 *
 *     entries-00000003-0000000000000042      epoch of the writer, number of the first entry
 *     temporary-00000003                     epoch of the writer
 */
const entriesName = /^entries-(\d{8})-(\d{16})$/
const temporaryName = /^temporary-(\d{8})$/

export interface EntriesName {
  readonly name: string
  readonly epoch: number
  readonly first: number
}

export const entriesFile = (epoch: number, first: number): EntriesName => ({
  name: `entries-${String(epoch).padStart(8, '0')}-${String(first).padStart(16, '0')}`,
  epoch,
  first,
})

export const temporaryFile = (epoch: number): string => `temporary-${String(epoch).padStart(8, '0')}`

export const isTemporary = (name: string): boolean => temporaryName.test(name)

/** The files of entries among some names, by epoch and then by number. */
export const entriesFilesOf = (names: readonly string[]): readonly EntriesName[] =>
  names
    .flatMap((name) => {
      const parsed = entriesName.exec(name)
      return parsed === null ? [] : [{ name, epoch: Number(parsed[1]), first: Number(parsed[2]) }]
    })
    .sort((a, b) => a.epoch - b.epoch || a.first - b.first)

/**
 * The files that count, in the order of their entries: what a later writer has begun at a number, an earlier one's files say no
 * more from that number on.
 */
export function chainOf(found: readonly EntriesName[]): readonly EntriesName[] {
  const chain: EntriesName[] = []
  let before = Number.POSITIVE_INFINITY
  let lowest = Number.POSITIVE_INFINITY
  let epoch = Number.NaN
  for (const file of [...found].reverse()) {
    if (file.epoch !== epoch) {
      before = lowest
      epoch = file.epoch
    }
    if (file.first >= before) continue
    chain.unshift(file)
    lowest = Math.min(lowest, file.first)
  }
  return chain
}
