import { BackendError } from '../errors.js'
import { encodeKey, type Key, type MapKey, mapKey } from '../key.js'
import { Row } from './row.js'
import { type RowAddress, RowStore, type RowTableOptions, type RowTableScope } from './rowStore.js'

/** The entries of one key in one namespace, in the order in which they were added. Many hold one only: that one needs no Map. */
export interface Entries<S> {
  readonly namespace: MapKey | undefined
  single: Row<S> | undefined
  many: Map<MapKey, Row<S>> | undefined
  /** The largest number that named an entry: elements of a list are numbered. */
  largest: number
  /** The entries of the same key in another namespace. */
  next: Entries<S> | undefined
  previous: Entries<S> | undefined
}

/** So many namespaces of one key are walked; more get an index. */
const walkedMax = 16

/**
 * Many rows per key (and namespace): the entries of a map, the elements of a list, the timers of a key.
 *
 * Each entry is a row of its own, so a checkpoint writes what changed of a large map and not all of it.
 */
export class EntryTable<S> extends RowStore<S> {
  private readonly heads = new Map<MapKey, Entries<S>>()
  /** The namespaces of keys that have many of them. */
  private readonly indexes = new Map<MapKey, Map<MapKey | undefined, Entries<S>>>()

  constructor(options: RowTableOptions<S>, scope: RowTableScope) {
    super(options, scope)
  }

  get(key: Key, namespace: Key | undefined, entry: Key): Row<S> | undefined {
    const entries = this.entriesOf(mapKey(key), namespace)
    if (entries === undefined) return undefined
    const at = mapKey(entry)
    if (entries.many !== undefined) return entries.many.get(at)
    const { single } = entries
    return single !== undefined && sameKey(mapKey(single.entry as Key), at) ? single : undefined
  }

  /** Adds an entry behind the others. There must be none of its name. */
  create(key: Key, namespace: Key | undefined, entry: Key, value: S): Row<S> {
    return this.add({ key, namespace, entry }, value)
  }

  /** Visits the entries of a key and namespace in the order in which they were added. The one visited may be removed meanwhile. */
  *entries(key: Key, namespace: Key | undefined): IterableIterator<Row<S>> {
    const entries = this.entriesOf(mapKey(key), namespace)
    if (entries !== undefined) yield* all(entries)
  }

  /** How many entries a key has in a namespace. */
  sizeOf(key: Key, namespace: Key | undefined): number {
    const entries = this.entriesOf(mapKey(key), namespace)
    return entries === undefined ? 0 : (entries.many?.size ?? 1)
  }

  /** A number larger than that of every entry. */
  nextNumber(key: Key, namespace: Key | undefined): number {
    return (this.entriesOf(mapKey(key), namespace)?.largest ?? -1) + 1
  }

  /** Puts numbered entries in their order: a checkpoint keeps rows in the order of their changes. */
  order(): void {
    for (const head of this.heads.values()) {
      for (let entries: Entries<S> | undefined = head; entries !== undefined; entries = entries.next) {
        if (entries.many === undefined) continue
        const sorted = [...entries.many].sort(([, a], [, b]) => numberOf(a.entry) - numberOf(b.entry))
        entries.many = new Map(sorted)
      }
    }
  }

  /** The names of entries come from outside: they are looked at once everything is restored. */
  checkEntries(): void {
    const { checkEntry } = this.options
    if (checkEntry !== undefined) for (const { entry } of this.rows()) checkEntry(entry as Key)
  }

  *rows(): IterableIterator<Row<S>> {
    for (const head of [...this.heads.values()]) {
      for (let entries: Entries<S> | undefined = head; entries !== undefined; entries = entries.next) yield* all(entries)
    }
  }

  /** Visits the rows of one key, of all its namespaces. */
  *rowsOf(key: Key): IterableIterator<Row<S>> {
    for (let entries = this.heads.get(mapKey(key)); entries !== undefined; entries = entries.next) yield* all(entries)
  }

  protected addressText(row: RowAddress): string {
    return encodeKey([row.key, row.namespace === undefined ? [] : [row.namespace], row.entry as Key])
  }

  protected addressOf(decoded: Key): RowAddress {
    if (!Array.isArray(decoded) || decoded.length !== 3 || !Array.isArray(decoded[1]))
      throw new BackendError('SNAPSHOT_CORRUPT', { uid: this.scope.uid, table: this.name, reason: 'a row is no entry' })
    const [key, [namespace], entry] = decoded as [Key, [Key | undefined], Key]
    return { key, namespace, entry }
  }

  protected locate({ key, namespace, entry }: RowAddress): Row<S> | undefined {
    return this.get(key, namespace, entry as Key)
  }

  protected insert({ key, namespace, entry }: RowAddress, value: S): Row<S> {
    const row = new Row(key, namespace, value, entry)
    const at = mapKey(key)
    const entries = this.entriesOf(at, namespace)
    if (entries === undefined)
      this.lead(at, {
        namespace: namespaceKey(namespace),
        single: row,
        many: undefined,
        largest: numberOf(entry),
        next: this.heads.get(at),
        previous: undefined,
      })
    else {
      entries.many ??= new Map(entries.single === undefined ? [] : [[mapKey(entries.single.entry as Key), entries.single]])
      entries.single = undefined
      entries.many.set(mapKey(entry as Key), row)
      entries.largest = Math.max(entries.largest, numberOf(entry))
    }
    return row
  }

  protected take(row: Row<S>): void {
    const at = mapKey(row.key)
    const entries = this.entriesOf(at, row.namespace)
    if (entries === undefined) return
    entries.many?.delete(mapKey(row.entry as Key))
    if (entries.many !== undefined && entries.many.size > 0) return
    this.drop(at, entries)
  }

  private lead(at: MapKey, entries: Entries<S>): void {
    if (entries.next !== undefined) entries.next.previous = entries
    this.heads.set(at, entries)
    if (this.indexes.size > 0) this.indexes.get(at)?.set(entries.namespace, entries)
  }

  private drop(at: MapKey, { namespace, next, previous }: Entries<S>): void {
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) previous.next = next
    else if (next !== undefined) this.heads.set(at, next)
    else this.heads.delete(at)
    if (this.indexes.size === 0) return
    if (previous === undefined && next === undefined) this.indexes.delete(at)
    else this.indexes.get(at)?.delete(namespace)
  }

  protected entriesOf(at: MapKey, namespace: Key | undefined): Entries<S> | undefined {
    const wanted = namespaceKey(namespace)
    const index = this.indexes.size === 0 ? undefined : this.indexes.get(at)
    if (index !== undefined) return index.get(wanted)
    let entries = this.heads.get(at)
    let walked = 0
    for (; entries !== undefined && entries.namespace !== wanted; entries = entries.next) walked += 1
    if (walked > walkedMax) this.index(at)
    return entries
  }

  private index(at: MapKey): void {
    const index = new Map<MapKey | undefined, Entries<S>>()
    for (let entries = this.heads.get(at); entries !== undefined; entries = entries.next) index.set(entries.namespace, entries)
    this.indexes.set(at, index)
  }
}

const namespaceKey = (namespace: Key | undefined): MapKey | undefined => (namespace === undefined ? undefined : mapKey(namespace))

const numberOf = (entry: Key | undefined): number => (typeof entry === 'number' ? entry : -1)

function* all<S>({ single, many }: Entries<S>): IterableIterator<Row<S>> {
  if (many !== undefined) yield* many.values()
  else if (single !== undefined) yield single
}

/** As a `Map` finds its keys: NaN is itself. */
const sameKey = (a: MapKey, b: MapKey): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))
