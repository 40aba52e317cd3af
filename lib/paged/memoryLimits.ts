import { ConfigurationError } from '../errors.js'

export const mebibyte = 1024 * 1024

export interface MemoryLimits {
  readonly cacheBytesMax: number
  readonly dirtyBytesMax: number
}

/** How much memory rows of a store may take: those that are as they are there, and those that changed since the last barrier. */
export const memoryLimits = ({ cacheBytesMax = 64 * mebibyte, dirtyBytesMax = 32 * mebibyte }: Partial<MemoryLimits>): MemoryLimits => ({
  cacheBytesMax: atLeastOneMebibyte('cacheBytesMax', cacheBytesMax),
  dirtyBytesMax: atLeastOneMebibyte('dirtyBytesMax', dirtyBytesMax),
})

export function atLeastOneMebibyte(option: string, found: number): number {
  if (!(typeof found === 'number' && found >= mebibyte)) throw new ConfigurationError('OPTION_INVALID', { option, found, least: mebibyte })
  return found
}
