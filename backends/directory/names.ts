/**
 * The names of files in the folder of a job. Only names that parse are ever read or removed.
 *
 *     manifest-000000000042                               slot 42
 *     segment-00000003-000000000017-000001-0f3a99b2       epoch, checkpoint, counter, random token
 *     temporary-00000003-0f3a99b2                         epoch, random token
 *     released-00000003                                   epoch whose run has closed the folder
 */
const slotName = /^manifest-(\d{12})$/
const segmentName = /^segment-(\d{8})-(\d{12})-(\d{6})-([0-9a-f]{8})$/
const temporaryName = /^temporary-(\d{8})-([0-9a-f]{8})$/
const releasedName = /^released-(\d{8})$/

const digits = (number: number, width: number): string => String(number).padStart(width, '0')

export const slotFile = (seq: number): string => `manifest-${digits(seq, 12)}`
export const segmentFile = (of: {
  readonly epoch: number
  readonly checkpointId: number
  readonly counter: number
  readonly token: string
}): string => `segment-${digits(of.epoch, 8)}-${digits(of.checkpointId, 12)}-${digits(of.counter, 6)}-${of.token}`
export const temporaryFile = (of: { readonly epoch: number; readonly token: string }): string => `temporary-${digits(of.epoch, 8)}-${of.token}`
export const releasedFile = (epoch: number): string => `released-${digits(epoch, 8)}`

export type ParsedName =
  | { readonly kind: 'slot'; readonly seq: number }
  | { readonly kind: 'segment' | 'temporary' | 'released'; readonly epoch: number }

/** What a name says, or undefined for a name that is not ours. */
export function parseName(name: string): ParsedName | undefined {
  const slot = slotName.exec(name)
  if (slot !== null) return { kind: 'slot', seq: Number(slot[1]) }
  const segment = segmentName.exec(name)
  if (segment !== null) return { kind: 'segment', epoch: Number(segment[1]) }
  const temporary = temporaryName.exec(name)
  if (temporary !== null) return { kind: 'temporary', epoch: Number(temporary[1]) }
  const released = releasedName.exec(name)
  return released === null ? undefined : { kind: 'released', epoch: Number(released[1]) }
}

export const isSegmentFile = (name: string): boolean => segmentName.test(name)

/** The slots among some names, in no order. */
export const slotsOf = (names: readonly string[]): readonly number[] =>
  names.flatMap((name) => {
    const parsed = parseName(name)
    return parsed?.kind === 'slot' ? [parsed.seq] : []
  })
