/**
 * The names of the files of a `jsonLinesSink`. Everything the sink knows after a restart it knows from these names.
 *
 *     part-000001-000000007.jsonl          committed: what readers see, in the order of their names
 *     .part-000001-000000007.pending       pre-committed: whole and durable, waits for the decision
 *     .part-000001-000000007.inprogress    under way; the second number only counts
 *     .owner@orders@totals                 the job and the uid that the directory belongs to
 *
 * The first number is the epoch, the second the checkpoint.
 */
export interface PartName {
  readonly epoch: number
  readonly id: number
}

export interface PartFile extends PartName {
  readonly name: string
  readonly stage: 'inProgress' | 'pending' | 'committed'
}

const stem = ({ epoch, id }: PartName): string => `part-${String(epoch).padStart(6, '0')}-${String(id).padStart(9, '0')}`

export const committedName = (part: PartName): string => `${stem(part)}.jsonl`
export const pendingName = (part: PartName): string => `.${stem(part)}.pending`
export const inProgressName = (part: PartName): string => `.${stem(part)}.inprogress`

const stages = { '.inprogress': 'inProgress', '.pending': 'pending', '.jsonl': 'committed' } as const
const shape = /^(\.?)part-(\d{6,16})-(\d{9,16})(\.inprogress|\.pending|\.jsonl)$/

/** Opens a name, or answers nothing for a file that is not ours. */
export function partFile(name: string): PartFile | undefined {
  const [, dot, epoch, id, ending] = shape.exec(name) ?? []
  if (ending === undefined) return undefined
  const stage = stages[ending as keyof typeof stages]
  const part = { name, epoch: Number(epoch), id: Number(id), stage }
  const named = { inProgress: inProgressName, pending: pendingName, committed: committedName }[stage](part)
  // Only names that we would have given ourselves: no leading zeros too many, no number beyond what is exact.
  return named === name && (dot === '') === (stage === 'committed') ? part : undefined
}

export const inOrder = (a: PartName, b: PartName): number => a.epoch - b.epoch || a.id - b.id
