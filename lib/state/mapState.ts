import { type CodecOf, type Restorable, type StateCodec, stateCodec } from '../codec.js'
import { type Key, normalKey } from '../key.js'
import { describe, type StateDescriptor, type StateOptions } from './descriptor.js'
import type { EntryTable } from './entryTable.js'
import type { Expiry } from './expiry.js'
import { keysIn } from './keysIn.js'
import type { Row } from './row.js'
import type { KeptState, StateHost } from './stateHost.js'
import { checkedTtl } from './ttl.js'

export interface ReadonlyMapState<K, out V> extends Iterable<readonly [K, V]> {
  readonly size: number
  get(key: K): V | undefined
  has(key: K): boolean
  keys(): IterableIterator<K>
  values(): IterableIterator<V>
  entries(): IterableIterator<readonly [K, V]>
}

/** A map per key. Each entry is stored by itself, so a checkpoint writes what changed of a large map. No order is promised. */
export interface MapState<K, V> extends ReadonlyMapState<K, V> {
  put(key: K, value: V): void
  putAll(entries: Iterable<readonly [K, V]>): void
  remove(key: K): void
  clear(): void
}

/**
 * Describes a map per key.
 *
 * @param key - what a key of the map looks like: its values are keys as `keyBy` takes them
 * @param value - what a value looks like
 * @category keyed state
 * @since 0.2.0
 */
export function mapState<K, V, CK, CV>(
  key: CK & CodecOf<K> & Restorable<CK>,
  value: CV & CodecOf<V> & Restorable<CV>,
  options: StateOptions = {},
): StateDescriptor<MapState<K, V>, ReadonlyMapState<K, V>> {
  return describe('map', (name, host) => new MapHandle<K, V>(host, name, key, value, options) as never)
}

class MapHandle<K, V> implements MapState<K, V>, KeptState {
  private readonly table: EntryTable<V>
  private readonly expiry: Expiry<V> | undefined
  /** Keys are stored by their canonical text; the codec only checks what comes back. */
  private readonly keyCodec: StateCodec<K>

  constructor(
    private readonly host: StateHost,
    name: string,
    key: CodecOf<K>,
    value: CodecOf<V>,
    options: StateOptions,
  ) {
    const where = { uid: host.uid, state: name }
    const ttl = options.ttl === undefined ? undefined : checkedTtl(options.ttl)
    this.keyCodec = stateCodec(key, where)
    const checkEntry = (entry: Key): void => void this.keyCodec.fromText(this.keyCodec.toText(entry as K), this.keyCodec.version)
    this.table = host.entries({ table: name, state: name, codec: stateCodec(value, where), checkEntry, ...host.timesOf(ttl) })
    if (ttl !== undefined) this.expiry = host.expiry(ttl, this.table)
  }

  get size(): number {
    if (this.expiry === undefined) return this.table.sizeOf(this.host.scope.key, this.host.scope.namespace)
    return [...this].length
  }

  get(key: K): V | undefined {
    return this.read(this.row(key))?.value
  }

  has(key: K): boolean {
    return this.read(this.row(key)) !== undefined
  }

  put(key: K, value: V): void {
    const row = this.row(key)
    if (row !== undefined) this.table.write(row, value)
    else {
      const { scope } = this.host
      const created = this.table.create(scope.key, scope.namespace, normalKey(key), value)
      this.expiry?.track(created)
    }
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value)
  }

  remove(key: K): void {
    const row = this.row(key)
    if (row !== undefined) this.table.remove(row)
  }

  clear(): void {
    for (const row of this.rows()) this.table.remove(row)
  }

  *entries(): IterableIterator<readonly [K, V]> {
    for (const row of this.rows()) {
      // Whoever visits them may put and remove others meanwhile.
      const read = this.read(this.table.current(row))
      if (read !== undefined) yield [row.entry as K, read.value]
    }
  }

  *keys(): IterableIterator<K> {
    for (const [key] of this.entries()) yield key
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): IterableIterator<readonly [K, V]> {
    return this.entries()
  }

  keysWithState(): IterableIterator<Key> {
    return keysIn(this.table.rows(), this.host.scope.namespace)
  }

  restored(): void {
    this.expiry?.restored()
    this.table.checkEntries()
  }

  private read(row: Row<V> | undefined): { readonly value: V } | undefined {
    return this.expiry === undefined ? row : this.expiry.read(row)
  }

  private row(key: K): Row<V> | undefined {
    const { scope } = this.host
    return this.table.get(scope.key, scope.namespace, normalKey(key))
  }

  private rows(): Row<V>[] {
    return [...this.table.entries(this.host.scope.key, this.host.scope.namespace)]
  }
}
