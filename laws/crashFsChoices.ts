import type { Survives } from './crashFsImage.js'

/** A number from 0 to below 1, of a stream of chance that somebody handed in. */
export type Chance = () => number

/** A small generator with one seed, for schedules that are replayed (mulberry32). */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const biases = [0, 0.15, 0.5, 0.85, 1] as const

/** A choice with a bias of its own. */
export function biased(random: Chance): Survives {
  const bias = biases[Math.floor(random() * biases.length)] as number
  return () => random() < bias
}

export interface ChoiceOptions {
  /** Up to this many pieces every subset is tried. */
  readonly allSubsetsMax: number
  /** How many choices of each other kind are tried at most. */
  readonly eachMax: number
}

/**
 * Which pieces last: every subset while they are few; else none, all, all but one, only one, and random ones.
 *
 * All but one and only one find mistakes of order fastest.
 */
export function* choices(pieces: number, random: Chance, options: ChoiceOptions): Iterable<Survives> {
  if (pieces <= options.allSubsetsMax) {
    for (let subset = 0; subset < 2 ** pieces; subset += 1) yield (piece) => ((subset >> piece) & 1) === 1
    return
  }
  yield () => false
  yield () => true
  for (const chosen of some(pieces, random, options.eachMax)) {
    yield (piece) => piece !== chosen
    yield (piece) => piece === chosen
  }
  for (let count = 0; count < options.eachMax; count += 1) yield biased(random)
}

function* some(count: number, random: Chance, most: number): Iterable<number> {
  if (count <= most) for (let index = 0; index < count; index += 1) yield index
  else for (let drawn = 0; drawn < most; drawn += 1) yield Math.floor(random() * count)
}
