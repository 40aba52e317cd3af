import { type CodecOf, stateCodec } from '../codec.js'
import type { Key } from '../key.js'
import type { Expiry } from './expiry.js'
import { keysIn } from './keysIn.js'
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
      ...host.timesOf(checked),
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

  /**
   * Folds the values of several namespaces of the current key into that of one. What has expired is left out, and a value
   * that meets no other keeps the time at which it was last touched.
   */
  fold(target: Key, sources: readonly Key[], merge: (a: S, b: S) => S): void {
    let merged: { readonly value: S; readonly touchedMs: number | undefined } | undefined
    for (const source of sources) {
      const row = this.row(source)
      if (row === undefined) continue
      if (!this.isExpired(row))
        merged =
          merged === undefined ? { value: row.value, touchedMs: row.touchedMs } : { value: merge(merged.value, row.value), touchedMs: undefined }
      this.table.remove(row)
    }
    if (merged === undefined) return
    const own = this.row(target)
    const met = own !== undefined && !this.isExpired(own)
    this.writeAt(target, met ? merge(own.value, merged.value) : merged.value, met ? undefined : merged.touchedMs)
  }

  keysWithState(): IterableIterator<Key> {
    return keysIn(this.table.rows(), this.host.scope.namespace)
  }

  restored(): void {
    this.expiry?.restored()
  }

  private writeAt(namespace: Key | undefined, value: S, touchedMs?: number): void {
    const row = this.row(namespace)
    if (row !== undefined) this.table.write(row, value)
    const written = row ?? this.table.create(this.host.scope.key, namespace ?? (this.host.namespaced ? null : undefined), value)
    if (touchedMs !== undefined) written.touchedMs = touchedMs
    if (row === undefined) this.expiry?.track(written)
  }

  private isExpired(row: Row<S>): boolean {
    return this.expiry?.isExpired(row) === true
  }

  private row(namespace: Key | undefined): Row<S> | undefined {
    return this.host.namespaced ? this.table.find(this.host.scope.key, namespace ?? null) : this.table.get(this.host.scope.key)
  }
}
