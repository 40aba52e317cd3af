/** A figure, and when it was taken. */
export type Sample = readonly [atMs: number, value: number]

/** The part of a soak that counts: before, code is compiled and tables take their size. */
const warmUpShare = 0.25

/**
 * By how much a figure has grown from the end of the warm-up to the last sample, at least: the lower end of the interval that the slope of
 * the line through the samples is in with 95 %. Nothing, or less, where they only go up and down.
 */
export function growthOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0]?.[0] ?? 0, samples.at(-1)?.[0] ?? 0]
  const counted = samples.filter(([at]) => at >= first + warmUpShare * (last - first))
  if (counted.length < 5) throw new Error(`${samples.length} samples show no growth`)
  const mean = (of: (sample: Sample) => number): number => counted.reduce((sum, sample) => sum + of(sample), 0) / counted.length
  const [atMean, valueMean] = [mean(([at]) => at), mean(([, value]) => value)]
  const spread = mean(([at]) => (at - atMean) ** 2)
  const slope = mean(([at, value]) => (at - atMean) * (value - valueMean)) / spread
  const error = Math.sqrt(mean(([at, value]) => (value - valueMean - slope * (at - atMean)) ** 2) / (counted.length - 2) / spread)
  return (slope - 2 * error) * (last - (counted[0] as Sample)[0])
}
