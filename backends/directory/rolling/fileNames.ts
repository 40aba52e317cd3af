/**
 * The names of the files of a `fileSink`.
 *
 *     2024-05-01/part-000002-000000007.log            finished: in its bucket, what readers see
 *     .parts/.part-000002-000000007.000003-000000001  in progress, or whole and waiting for the decision
 *     .parts/.committed-000003-000000012              epoch and number of the newest checkpoint with parts that was committed
 *     .owner@orders@totals@parts                      the job and the uid that the directory belongs to
 *
 * A part has the epoch of the run that began it and a number that counts within. The second pair names the file: a run that goes on with
 * a part of an earlier one, or gives up a file that failed, does so in a new file.
 */
export interface Numbered {
  readonly epoch: number
  readonly number: number
}

/** Where everything stands that is not finished. */
export const stagingFolder = '.parts'
/** Names the layout of the directory in the name of its owner. */
export const layout = 'parts'

const stem = ({ epoch, number }: Numbered): string => `${String(epoch).padStart(6, '0')}-${String(number).padStart(9, '0')}`
const digits = '(\\d{6,16})-(\\d{9,16})'
const staged = new RegExp(`^\\.part-${digits}\\.${digits}$`)
const mark = new RegExp(`^\\.committed-${digits}$`)
const finished = new RegExp(`-${digits}`)
const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/

export const finishedName = (prefix: string, part: Numbered, suffix: string): string => `${prefix}-${stem(part)}${suffix}`
export const stagedName = (part: Numbered, file: Numbered): string => `.part-${stem(part)}.${stem(file)}`
export const markName = (checkpoint: Numbered): string => `.committed-${stem(checkpoint)}`

/** Whether a name may be that of a finished part: a handle can name nothing else. */
export const isNameOf = (name: string, part: Numbered): boolean => safeName.test(name) && name.includes(`-${stem(part)}`) && !name.endsWith('.')
/** Whether a name could be taken for that of some finished part. */
export const looksFinished = (name: string): boolean => finished.test(name)

const numbered = (epoch: string | undefined, number: string | undefined): Numbered => ({ epoch: Number(epoch), number: Number(number) })

/** Opens the name of a file that is not finished, or answers nothing for one that is not ours. */
export function parsedStaged(name: string): { readonly part: Numbered; readonly file: Numbered } | undefined {
  const found = staged.exec(name)
  if (found === null) return undefined
  const parsed = { part: numbered(found[1], found[2]), file: numbered(found[3], found[4]) }
  // Only names that we would have given ourselves: no leading zeros too many, no number beyond what is exact.
  return stagedName(parsed.part, parsed.file) === name ? parsed : undefined
}

export function parsedMark(name: string): Numbered | undefined {
  const found = mark.exec(name)
  if (found === null) return undefined
  const parsed = numbered(found[1], found[2])
  return markName(parsed) === name ? parsed : undefined
}

export const inOrder = (a: Numbered, b: Numbered): number => a.epoch - b.epoch || a.number - b.number
