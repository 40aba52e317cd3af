import type { StateCodec } from '../codec.js'
import { openState, type StateDescriptor } from '../state/descriptor.js'
import type { Expiry } from '../state/expiry.js'
import { KeyedScope } from '../state/keyedScope.js'
import type { StateHost } from '../state/stateHost.js'

/** How a described state is stored. */
export interface StateFormat {
  readonly codec: StateCodec<unknown>
  /** Each entry of a map, each element of a list is a row of its own. */
  readonly hasEntries: boolean
  readonly isList: boolean
  /** Rows are stamped with the time at which they were touched. */
  readonly expires: boolean
}

/** Asks a descriptor how it stores: it is opened by a host that has no tables, and notes what is asked for. */
export function formatOf(descriptor: StateDescriptor, uid: string, state: string): StateFormat {
  let codec: StateCodec<unknown> | undefined
  let hasEntries = false
  let expires = false
  const host: StateHost = {
    scope: new KeyedScope(),
    uid,
    namespaced: false,
    rows: (options) => {
      codec = options.codec as StateCodec<unknown>
      return undefined as never
    },
    entries: (options) => {
      codec = options.codec as StateCodec<unknown>
      hasEntries = true
      return undefined as never
    },
    timesOf: (ttl) => {
      expires = ttl !== undefined
      return {}
    },
    expiry: () => undefined as unknown as Expiry<never>,
  }
  openState(descriptor, state, host)
  return { codec: codec as unknown as StateCodec<unknown>, hasEntries, isList: descriptor.kind === 'list', expires }
}
