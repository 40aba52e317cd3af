import type { StateCodec } from '../codec.js'
import type { Key } from '../key.js'
import { describe, type StateDescriptor } from '../state/descriptor.js'
import type { Expiry } from '../state/expiry.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import type { KeptState, StateHost } from '../state/stateHost.js'
import { checkedTtl, type Ttl } from '../state/ttl.js'

/** One value per key, read and written through its row: a record costs one look-up. */
export class RowState<S> implements KeptState {
  private readonly table: RowTable<S>
  private readonly expiry: Expiry<S> | undefined

  constructor(
    private readonly host: StateHost,
    name: string,
    codec: StateCodec<S>,
    ttl: Ttl | undefined,
  ) {
    const checked = ttl === undefined ? undefined : checkedTtl(ttl)
    // At the end all are taken out, in their order, so they stay where they are.
    this.table = host.rows({ table: name, state: name, codec, ...host.timesOf(checked), evictable: false })
    if (checked !== undefined) this.expiry = host.expiry(checked, this.table)
  }

  /** The row of a key, the current one unless told. One that is shown a last time although it has expired is live no more. */
  find(key: Key = this.host.scope.key): Row<S> | undefined {
    const row = this.table.get(key)
    if (this.expiry === undefined) return row
    return this.expiry.read(row) === undefined ? undefined : row
  }

  /** Writes the row that was found, or a new one. */
  write(row: Row<S> | undefined, value: S, key: Key = this.host.scope.key): void {
    if (row?.live === true) return this.table.write(row, value)
    const created = this.table.create(key, undefined, value)
    this.expiry?.track(created)
  }

  /** Takes everything out, key by key in the order in which they came. What has expired is not shown. */
  *drain(): IterableIterator<Row<S>> {
    for (const row of this.table.rows()) {
      this.table.remove(row)
      if (this.expiry?.isExpired(row) !== true) yield row
    }
  }

  *keysWithState(): IterableIterator<Key> {
    for (const row of this.table.rows()) yield row.key
  }

  restored(): void {
    this.expiry?.restored()
  }
}

export const rowState = <S>(codec: StateCodec<S>, ttl: Ttl | undefined): StateDescriptor<RowState<S>, RowState<S>> =>
  describe('value', (name, host) => new RowState(host, name, codec, ttl))
