/**
 * Ranks from 0 below `count`, the rank r with a weight of 1 / (r + 1): some keys come very often, most hardly ever.
 *
 * By rejection from the integral of the weights, so that it costs the same for any number of ranks.
 *
 * @param chance - numbers from 0 below 1
 * @see W. Hörmann, G. Derflinger, Rejection-inversion to generate variates from monotone discrete distributions, ACM TOMACS 6(3), 1996
 */
export function zipf(count: number, chance: () => number): () => number {
  // The integral of 1 / x is log x; the weight of rank x is at most that between x - 1/2 and x + 1/2.
  const least = Math.log(1.5) - 1
  const most = Math.log(count + 0.5)
  /** Below this distance from its place a rank is taken without looking at its weight. */
  const sure = 2 - Math.exp(Math.log(2.5) - 1 / 2)
  return () => {
    for (;;) {
      const at = least + chance() * (most - least)
      const place = Math.exp(at)
      const rank = Math.min(count, Math.max(1, Math.round(place)))
      if (rank - place <= sure || at >= Math.log(rank + 0.5) - 1 / rank) return rank - 1
    }
  }
}
