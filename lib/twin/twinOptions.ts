import type { CodecOf, Restorable } from '../codec.js'
import type { Ttl } from '../state/ttl.js'

/** What may be declared between the uid and RxJS's own arguments. */
export interface DurableOptions {
  /** When the state of a key expires: the key then begins anew. Without it, state stays. */
  readonly ttl?: Ttl
}

/** Of an operator whose state is made by its user's function. */
export interface DurableStateOptions<S, C> extends DurableOptions {
  /** What a state looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly state?: C & CodecOf<S> & Restorable<C>
}

/** Of an operator whose state is made of values of the stream. */
export interface DurableValueOptions<V, C> extends DurableOptions {
  /** What a value that is kept looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly value?: C & CodecOf<V> & Restorable<C>
}

/** Options as they are read at run time. */
export interface AnyDurableOptions extends DurableOptions {
  readonly state?: CodecOf<unknown>
  readonly value?: CodecOf<unknown>
}

/** Tells options from RxJS's own arguments behind the uid: those begin with a function, a number, a stream, or not at all. */
export function twinArguments(given: readonly unknown[]): { readonly options: AnyDurableOptions; readonly args: readonly unknown[] } {
  const [first] = given
  if (typeof first !== 'object' || first === null || 'subscribe' in first) return { options: {}, args: given }
  return { options: first, args: given.slice(1) }
}
