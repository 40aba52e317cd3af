import type { CodecOf, Restorable } from './codec.js'

/** `H` is inferred as the names that were written: a state without `initial` starts as undefined. */
export type StateIn<S, H> = 'initial' extends H ? S : S | undefined

/** What a state looks like, and how it starts. */
export type StateOptionsOf<S, C, H extends 'state' | 'initial'> = {
  readonly state: C & CodecOf<S> & Restorable<C>
  readonly initial?: NoInfer<S>
} & {
  readonly [P in H]: unknown
}
