import { type CodecOf, stateCodec } from '../codec.js'
import type { Key } from '../key.js'
import type { Expiry } from './expiry.js'
import type { Row } from './row.js'
import type { RowTable } from './rowTable.js'
import type { KeptState, StateHost } from './stateHost.js'
import { checkedTtl, type Ttl } from './ttl.js'

/** One value per key (and window): what value, reducing and aggregating state are made of. */
export class ValueCell<S> implements KeptState {
  private readonly table: RowTable<S>
  private readonly expiry: Expiry<S> | undefined

  constructor(
    private readonly host: StateHost,
    name: string,
    codec: CodecOf<S>,
    ttl: Ttl | undefined,
  ) {
    const checked = ttl === undefined ? undefined : checkedTtl(ttl)
    this.table = host.rows({
      table: name,
      state: name,
      codec: stateCodec(codec, { uid: host.uid, state: name }),
      namespaced: host.namespaced,
      time: checked === undefined ? undefined : host.timeOf(checked),
    })
    if (checked !== undefined) this.expiry = host.expiry(checked, this.table)
  }

  read(): S | undefined {
    const row = this.row(this.host.scope.namespace)
    if (this.expiry === undefined) return row?.value
    return this.expiry.read(row)?.value
  }

  /** What an accumulation goes on from: by the rules of TTL, but without touching it. */
  readToAdd(): S | undefined {
    const row = this.row(this.host.scope.namespace)
    if (row === undefined || this.expiry === undefined || !this.expiry.isExpired(row)) return row?.value
    return this.expiry.ttl.expired === 'untilRemoved' ? row.value : undefined
  }

  write(value: S): void {
    this.writeAt(this.host.scope.namespace, value)
  }

  clear(): void {
    const row = this.row(this.host.scope.namespace)
    if (row !== undefined) this.table.remove(row)
  }

  /** Folds the values of several namespaces of the current key into that of one. */
  fold(target: Key, sources: readonly Key[], merge: (a: S, b: S) => S): void {
    let merged: S | undefined
    for (const source of sources) {
      const row = this.row(source)
      if (row === undefined) continue
      merged = merged === undefined ? row.value : merge(merged, row.value)
      this.table.remove(row)
    }
    if (merged === undefined) return
    const own = this.row(target)
    this.writeAt(target, own === undefined ? merged : merge(own.value, merged))
  }

  *keysWithState(): IterableIterator<Key> {
    for (const row of this.table.rows()) yield row.key
  }

  restored(): void {
    this.expiry?.restored()
  }

  private writeAt(namespace: Key | undefined, value: S): void {
    const row = this.row(namespace)
    if (row !== undefined) this.table.write(row, value)
    else {
      const created = this.table.create(this.host.scope.key, namespace ?? (this.host.namespaced ? null : undefined), value)
      this.expiry?.track(created)
    }
  }

  private row(namespace: Key | undefined): Row<S> | undefined {
    return this.host.namespaced ? this.table.find(this.host.scope.key, namespace ?? null) : this.table.get(this.host.scope.key)
  }
}
