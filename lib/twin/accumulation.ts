import { type CodecOf, json, stateCodec } from '../codec.js'
import { type Counted, countedCodec } from './countedCodec.js'
import type { TwinSpec } from './twin.js'
import { twinArguments } from './twinOptions.js'

type Accumulator = (accumulated: unknown, value: unknown, index: number) => unknown

/** What `scan` and `reduce` share. */
export interface Accumulation extends Pick<TwinSpec<unknown, Counted<unknown>, unknown>, 'codec' | 'ttl' | 'seed'> {
  /** What there is before the first value; nothing without a seed. */
  readonly first: readonly [] | readonly [seed: unknown]
  advance(state: Counted<unknown> | undefined, value: unknown): Counted<unknown>
}

/** As in RxJS the number of arguments tells whether there is a seed: it may be `undefined`. */
export function accumulation(uid: string, given: readonly unknown[]): Accumulation {
  const { options, args } = twinArguments(given)
  const [accumulator, seed] = args as [Accumulator, unknown]
  const seeded = args.length >= 2
  return {
    codec: countedCodec(stateCodec((options.state ?? json()) as CodecOf<unknown>, { uid, state: 'state' })),
    ttl: options.ttl,
    seed,
    first: seeded ? [seed] : [],
    advance(state, value) {
      if (state !== undefined) return { index: state.index + 1, value: accumulator(state.value, value, state.index) }
      return { index: 1, value: seeded ? accumulator(seed, value, 0) : value }
    },
  }
}
