import { BackendError } from '../errors.js'
import { encodeKey, type Key, type MapKey, mapKey } from '../key.js'
import { Row } from './row.js'
import { type RowAddress, RowStore, type RowTableOptions, type RowTableScope } from './rowStore.js'

export interface NamespacedOptions {
  /** Rows have a namespace beside their key: a window. */
  readonly namespaced?: boolean
}

/** So many rows of one key are walked; more get an index. */
const walkedMax = 16

/**
 * One row per key, or per key and namespace.
 *
 * Few namespaces of a key (open windows) stand in a linked list behind its first row, which costs no memory of its own.
 */
export class RowTable<S> extends RowStore<S> {
  private readonly heads = new Map<MapKey, Row<S>>()
  /** Of keys with many rows only. */
  private readonly indexes = new Map<MapKey, Map<MapKey, Row<S>>>()
  private readonly namespaced: boolean

  constructor(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope) {
    super(options, scope)
    this.namespaced = options.namespaced === true
  }

  /** The row of a key; of a namespaced table, the first of its rows. */
  get(key: Key): Row<S> | undefined {
    return this.heads.get(mapKey(key))
  }

  /** The row of a key and a namespace. */
  find(key: Key, namespace: Key): Row<S> | undefined {
    const at = mapKey(key)
    const index = this.indexes.size === 0 ? undefined : this.indexes.get(at)
    if (index !== undefined) return index.get(mapKey(namespace))
    const head = this.heads.get(at)
    if (typeof namespace === 'object') return findComposite(head, mapKey(namespace))
    let row = head
    let walked = 0
    for (; row !== undefined && row.namespace !== namespace; row = row.next) walked += 1
    if (walked > walkedMax && head !== undefined) this.index(at, head)
    return row
  }

  /** Adds a row. There must be none for the key and namespace. */
  create(key: Key, namespace: Key | undefined, value: S): Row<S> {
    return this.add({ key, namespace, entry: undefined }, value)
  }

  /** Visits the rows of one key. The one visited may be removed meanwhile. */
  *rowsOf(key: Key): IterableIterator<Row<S>> {
    yield* walk(this.heads.get(mapKey(key)))
  }

  *rows(): IterableIterator<Row<S>> {
    for (const head of this.heads.values()) yield* walk(head)
  }

  protected addressText(row: RowAddress): string {
    return encodeKey(this.namespaced ? [row.key, row.namespace ?? null] : row.key)
  }

  protected addressOf(decoded: Key): RowAddress {
    if (!this.namespaced) return { key: decoded, namespace: undefined, entry: undefined }
    if (!Array.isArray(decoded) || decoded.length !== 2)
      throw new BackendError('SNAPSHOT_CORRUPT', { uid: this.scope.uid, table: this.name, reason: 'a row has no namespace' })
    return { key: decoded[0] as Key, namespace: decoded[1] as Key, entry: undefined }
  }

  protected locate({ key, namespace }: RowAddress): Row<S> | undefined {
    return namespace === undefined ? this.get(key) : this.find(key, namespace)
  }

  protected insert({ key, namespace }: RowAddress, value: S): Row<S> {
    const row = new Row(key, namespace, value)
    const at = mapKey(key)
    if (namespace !== undefined) {
      const head = this.heads.get(at)
      row.next = head
      if (head !== undefined) head.previous = row
      if (this.indexes.size > 0) this.indexes.get(at)?.set(mapKey(namespace), row)
    }
    this.heads.set(at, row)
    return row
  }

  protected take(row: Row<S>): void {
    const at = mapKey(row.key)
    const { next, previous } = row
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) previous.next = next
    else if (next !== undefined) this.heads.set(at, next)
    else this.heads.delete(at)
    if (this.indexes.size === 0 || row.namespace === undefined) return
    if (previous === undefined && next === undefined) this.indexes.delete(at)
    else this.indexes.get(at)?.delete(mapKey(row.namespace))
  }

  private index(at: MapKey, head: Row<S>): void {
    const index = new Map<MapKey, Row<S>>()
    for (const row of walk(head)) if (row.namespace !== undefined) index.set(mapKey(row.namespace), row)
    this.indexes.set(at, index)
  }
}

function findComposite<S>(head: Row<S> | undefined, namespace: MapKey): Row<S> | undefined {
  let row = head
  while (row !== undefined && (row.namespace === undefined || mapKey(row.namespace) !== namespace)) row = row.next
  return row
}

function* walk<S>(head: Row<S> | undefined): IterableIterator<Row<S>> {
  let row = head
  while (row !== undefined) {
    const following: Row<S> | undefined = row.next
    yield row
    row = following
  }
}
