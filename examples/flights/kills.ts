import { random } from './random.js'

/** When a process is killed: this far into its recovery, or soon after a flight has arrived. */
export type Kill =
  | { readonly when: 'recovering'; readonly share: number }
  | { readonly when: 'running'; readonly flight: number; readonly afterMs: number }

/** What the kills leave of the flights, for the life that nobody ends. */
const leftOver = 0.12
const afterMsMax = 12
/** Recoveries differ: a kill that comes within this share of the last one mostly comes in time. */
const inTime = 0.8

/** Kills spread over the file. Each third one at least hits the recovery from the one before. */
export function kills({ count, flights, seed }: { readonly count: number; readonly flights: number; readonly seed: number }): readonly Kill[] {
  const draw = random(seed)
  return Array.from({ length: count }, (_, index): Kill => {
    if (index % 3 === 1 || draw() < 0.15) return { when: 'recovering', share: draw() * inTime }
    const position = ((index + draw()) / count) * (1 - leftOver)
    return { when: 'running', flight: Math.floor(position * flights), afterMs: Math.floor(draw() * afterMsMax) }
  })
}
