import type { KeptState, StateHost } from './stateHost.js'
import type { Ttl } from './ttl.js'

declare const handle: unique symbol

/** Says what a named state is. `H` is the handle that reads and writes, `RO` the one that only reads. */
export interface StateDescriptor<out H = unknown, out RO = unknown> {
  readonly kind: StateKind
  readonly [handle]: { readonly writable: H; readonly readable: RO }
}

export type StateKind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating'
/** No states at all. */
export type NoStates = Readonly<Record<never, StateDescriptor>>
export type StateDescriptors = { readonly [name: string]: StateDescriptor }
export type Handles<D> = { readonly [N in keyof D]: D[N] extends StateDescriptor<infer H, unknown> ? H : never }
export type ReadonlyHandles<D> = { readonly [N in keyof D]: D[N] extends StateDescriptor<unknown, infer RO> ? RO : never }

export interface StateOptions {
  /** When it expires; without it it stays until it is cleared. */
  readonly ttl?: Ttl
}

interface Opener<H> {
  readonly kind: StateKind
  open(name: string, host: StateHost): H & KeptState
}

/** Makes a descriptor of the function that makes its handle. */
export const describe = <H, RO>(kind: StateKind, open: (name: string, host: StateHost) => H & KeptState): StateDescriptor<H, RO> =>
  ({ kind, open }) satisfies Opener<H> as unknown as StateDescriptor<H, RO>

/** Makes the handle of a state. */
export const openState = (descriptor: StateDescriptor, name: string, host: StateHost): KeptState =>
  (descriptor as unknown as Opener<unknown>).open(name, host) as KeptState

/** Makes the handles of all states of an operator. */
export function openStates<D extends StateDescriptors>(
  descriptors: D,
  host: StateHost,
): { readonly handles: Handles<D>; readonly kept: ReadonlyMap<string, KeptState> } {
  const kept = new Map(Object.entries(descriptors).map(([name, descriptor]) => [name, openState(descriptor, name, host)] as const))
  return { handles: Object.fromEntries(kept) as Handles<D>, kept }
}
