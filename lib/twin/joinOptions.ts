import type { Observable } from 'rxjs'
import { type CodecOf, json, type Restorable, type StateCodec, stateCodec } from '../codec.js'
import type { AnyStream, StreamElement } from '../element.js'
import type { DurableOptions } from './twinOptions.js'

/** Other streams of a twin, with the same kind of key as the first, or none. */
export type Others<K> = readonly Observable<StreamElement<unknown, K>>[]

/** What streams carry, in their order. */
export type ValuesOf<O extends readonly unknown[]> = { -readonly [I in keyof O]: O[I] extends AnyStream<infer U> ? U : never }

/** Codecs of the values of several streams, in their order. */
export type CodecsOf<V extends readonly unknown[], C> = { readonly [I in keyof V]: CodecOf<V[I]> } & {
  readonly [I in keyof C]: unknown extends Restorable<C[I]> ? unknown : Restorable<C[I]>
}

/** Of an operator that keeps values of several streams. */
export interface DurableJoinOptions<V extends readonly unknown[], C> extends DurableOptions {
  /** What the values that are kept look like, in the order of their streams. Without it, they are stored as they are: plain data. */
  readonly values?: C & CodecsOf<V, C>
}

interface AnyJoinOptions extends DurableOptions {
  readonly values?: readonly CodecOf<unknown>[]
}

export interface JoinArguments<O extends AnyJoinOptions> {
  readonly others: readonly AnyStream[]
  readonly options: Partial<O>
  /** Makes a result of the values, in the order of their streams. */
  readonly project: (values: readonly unknown[]) => unknown
}

/** What stands behind the uid of a twin with several inputs: another stream or several, options if any, a projection if any. */
export function joinArguments<O extends AnyJoinOptions>(given: readonly unknown[]): JoinArguments<O> {
  const [other, ...rest] = given
  const project = rest.find((each) => typeof each === 'function') as ((...values: readonly unknown[]) => unknown) | undefined
  return {
    others: (Array.isArray(other) ? other : [other]) as readonly AnyStream[],
    options: (rest.find((each) => typeof each === 'object' && each !== null) ?? {}) as Partial<O>,
    project: project === undefined ? (values) => values : (values) => project(...values),
  }
}

/** The codecs of the values of so many streams. */
export const codecsOf = (uid: string, count: number, values: readonly CodecOf<unknown>[] | undefined): readonly StateCodec<unknown>[] =>
  Array.from({ length: count }, (_, index) => stateCodec((values?.[index] ?? json()) as CodecOf<unknown>, { uid, state: `values ${index}` }))
