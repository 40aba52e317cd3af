import type { RowHash } from './rowHash.js'

/** The keys whose hash ends with these bits. */
export interface KeyShare {
  readonly mask: number
  readonly bits: number
}

export const allKeys: KeyShare = { mask: 0, bits: 0 }
/** Beyond so many halvings what is held is one key, or keys made to collide: it is held, whatever it takes. */
const halvingsMax = 20

export const inShare = ({ second }: RowHash, { mask, bits }: KeyShare): boolean => (second & mask) === bits

/** Two halves of a share; undefined where it is as small as it gets. */
export function halves({ mask, bits }: KeyShare): readonly [KeyShare, KeyShare] | undefined {
  const half = mask + 1
  if (half >= 2 ** halvingsMax) return undefined
  return [
    { mask: mask | half, bits },
    { mask: mask | half, bits: bits | half },
  ]
}
