/** A figure, and when it was taken. */
export type Sample = readonly [atMs: number, value: number]

/** The part of a soak that counts: before, code is compiled and tables take their size. */
const warmUpShare = 0.25
/** Into so many stretches of time the rest is cut. */
const stretches = 24
/** 97.5 % of a normal distribution are below: the lower end of an interval of 95 %. */
const deviations = 1.96

/**
 * By how much a figure has grown from the end of the warm-up to the last sample, at least. Nothing, or less, where it only goes up and down.
 *
 * Of each stretch of time the least value counts: what is kept for ever is in all of them, what was under way just then is not. The slope is
 * the lower end of Sen's interval with 95 %, which knows neither how the values are spread nor whether one of them lies far away.
 */
export function growthOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0]?.[0] ?? 0, samples.at(-1)?.[0] ?? 0]
  const fromMs = first + warmUpShare * (last - first)
  const least = leastOf(
    samples.filter(([at]) => at >= fromMs),
    fromMs,
    last,
  )
  if (least.length < 5) throw new Error(`${samples.length} samples show no growth`)
  return slopeAtLeast(least) * (last - fromMs)
}

/** The sample with the least value of each stretch. */
function leastOf(samples: readonly Sample[], fromMs: number, toMs: number): readonly Sample[] {
  const found = new Map<number, Sample>()
  for (const sample of samples) {
    const stretch = Math.min(stretches - 1, Math.floor((stretches * (sample[0] - fromMs)) / (toMs - fromMs)))
    const before = found.get(stretch)
    if (before === undefined || sample[1] < before[1]) found.set(stretch, sample)
  }
  return [...found.values()]
}

function slopeAtLeast(samples: readonly Sample[]): number {
  const slopes = samples.flatMap(([at, value], index) =>
    samples.slice(0, index).map(([before, valueBefore]) => (value - valueBefore) / (at - before)),
  )
  slopes.sort((a, b) => a - b)
  const count = samples.length
  const spread = deviations * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18)
  return slopes[Math.max(0, Math.round((slopes.length - spread) / 2) - 1)] as number
}
