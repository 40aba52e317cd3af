import { type CodecOf, type Restorable, stateCodec } from '../codec.js'
import { StreamError } from '../errors.js'
import type { Key } from '../key.js'
import { describe, type StateDescriptor, type StateOptions } from './descriptor.js'
import type { EntryTable } from './entryTable.js'
import type { Expiry } from './expiry.js'
import { keysIn } from './keysIn.js'
import type { Row } from './row.js'
import type { KeptState, StateHost } from './stateHost.js'
import { checkedTtl } from './ttl.js'

export interface ReadonlyListState<out E> extends Iterable<E> {
  readonly size: number
}

/** Elements per key, in the order in which they were added. Each is stored by itself: adding to a long list costs one element. */
export interface ListState<E> extends ReadonlyListState<E> {
  add(element: E): void
  addAll(elements: Iterable<E>): void
  /** Replaces all elements. With none of them it clears. */
  update(elements: Iterable<E>): void
  clear(): void
}

/**
 * Describes a list per key.
 *
 * @param codec - what an element looks like
 * @throws StreamError `STATE_VALUE_MISSING` when null or undefined is added
 * @category keyed state
 * @since 0.2.0
 */
export function listState<E, C>(
  codec: C & CodecOf<E> & Restorable<C>,
  options: StateOptions = {},
): StateDescriptor<ListState<E>, ReadonlyListState<E>> {
  return describe('list', (name, host) => new ListHandle<E>(host, name, codec, options, 'split'))
}

/**
 * Describes a list of an operator without keys of which, where a job goes on in another number of instances, every instance gets all
 * elements of all instances. {@link listState} is cut evenly there. Everywhere else the two are the same.
 *
 * **When to use** where an instance has to choose by itself what is its own: offsets of partitions, for example.
 *
 * @param codec - what an element looks like
 * @throws StreamError `STATE_VALUE_MISSING` when null or undefined is added
 * @category keyed state
 * @since 0.2.0
 */
export function unionListState<E, C>(
  codec: C & CodecOf<E> & Restorable<C>,
  options: StateOptions = {},
): StateDescriptor<ListState<E>, ReadonlyListState<E>> {
  return describe('list', (name, host) => new ListHandle<E>(host, name, codec, options, 'union'))
}

class ListHandle<E> implements ListState<E>, KeptState {
  private readonly table: EntryTable<E>
  private readonly expiry: Expiry<E> | undefined

  constructor(
    private readonly host: StateHost,
    private readonly name: string,
    codec: CodecOf<E>,
    options: StateOptions,
    redistribution: 'split' | 'union',
  ) {
    const ttl = options.ttl === undefined ? undefined : checkedTtl(options.ttl)
    this.table = host.entries({
      table: name,
      state: name,
      codec: stateCodec(codec, { uid: host.uid, state: name }),
      redistribution,
      ...host.timesOf(ttl),
    })
    if (ttl !== undefined) this.expiry = host.expiry(ttl, this.table)
  }

  get size(): number {
    if (this.expiry === undefined) return this.table.sizeOf(this.host.scope.key, this.host.scope.namespace)
    return [...this].length
  }

  *[Symbol.iterator](): IterableIterator<E> {
    for (const row of this.rows(this.host.scope.namespace)) {
      const read = this.expiry === undefined ? row : this.expiry.read(row)
      if (read !== undefined) yield read.value
    }
  }

  add(element: E): void {
    this.append(this.host.scope.namespace, this.present(element))
  }

  addAll(elements: Iterable<E>): void {
    for (const element of this.allPresent(elements)) this.append(this.host.scope.namespace, element)
  }

  update(elements: Iterable<E>): void {
    const next = this.allPresent(elements)
    this.clear()
    for (const element of next) this.append(this.host.scope.namespace, element)
  }

  clear(): void {
    for (const row of this.rows(this.host.scope.namespace)) this.table.remove(row)
  }

  mergeInto(target: Key, sources: readonly Key[]): void {
    for (const source of sources) {
      for (const row of this.rows(source)) {
        this.table.remove(row)
        if (this.expiry?.isExpired(row) === true) continue
        this.append(target, row.value, row.touchedMs)
      }
    }
  }

  keysWithState(): IterableIterator<Key> {
    return keysIn(this.table.rows(), this.host.scope.namespace)
  }

  restored(): void {
    this.table.order()
    this.expiry?.restored()
  }

  /** A copy: the visited may be removed meanwhile. */
  private rows(namespace: Key | undefined): Row<E>[] {
    return [...this.table.entries(this.host.scope.key, namespace)]
  }

  /** An element that comes from another namespace keeps the time at which it was last touched. */
  private append(namespace: Key | undefined, element: E, touchedMs?: number): void {
    const { key } = this.host.scope
    const row = this.table.create(key, namespace, this.table.nextNumber(key, namespace), element)
    if (touchedMs !== undefined) row.touchedMs = touchedMs
    this.expiry?.track(row)
  }

  private allPresent(elements: Iterable<E>): E[] {
    this.present(elements)
    return Array.from(elements, (element) => this.present(element))
  }

  private present<V>(element: V): V {
    if (element === undefined || element === null)
      throw new StreamError('STATE_VALUE_MISSING', { uid: this.host.uid, state: this.name, found: element })
    return element
  }
}
