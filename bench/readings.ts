export interface Reading {
  readonly device: string
  readonly celsius: number
}

/** The state of every variant. */
export interface Sum {
  readonly sum: number
  readonly count: number
}

/**
 * The same readings for every variant, made from a fixed seed: each device as often as any other, in no order, and tenths of a
 * degree, because sums of whole numbers are cheaper for the platform than sums usually are.
 */
export function makeReadings(records: number, keys: number): readonly Reading[] {
  const names = Array.from({ length: keys }, (_, index) => `device-${index}`)
  const devices = new Uint32Array(records)
  for (let index = 0; index < records; index += 1) devices[index] = index % keys
  let seed = 20_260_101
  const below = (limit: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * limit)
  }
  for (let last = records - 1; last > 0; last -= 1) {
    const other = below(last + 1)
    const kept = devices[last] as number
    devices[last] = devices[other] as number
    devices[other] = kept
  }
  return Array.from(devices, (device) => ({ device: names[device] as string, celsius: (below(600) - 200) / 10 }))
}
