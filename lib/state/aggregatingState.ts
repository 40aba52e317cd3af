import type { CodecOf, Restorable } from '../codec.js'
import { ConfigurationError } from '../errors.js'
import type { Key } from '../key.js'
import type { Aggregate } from '../window/aggregate.js'
import { describe, type StateDescriptor, type StateOptions } from './descriptor.js'
import type { KeptState, StateHost } from './stateHost.js'
import { ValueCell } from './valueCell.js'

export interface ReadonlyAggregatingState<out R> {
  /** The result of what was added; undefined before the first. */
  get(): R | undefined
}

export interface AggregatingState<T, R> extends ReadonlyAggregatingState<R> {
  add(value: T): void
  clear(): void
}

/**
 * Describes an accumulator per key: what is added, and what is read, may be of other types than what is kept.
 *
 * @param codec - what the accumulator looks like
 * @param aggregate - {@link mean}, {@link countRecords}, or your own
 * @category keyed state
 * @since 0.2.0
 */
export function aggregatingState<T, A, R, C>(
  codec: C & CodecOf<A> & Restorable<C>,
  aggregate: Aggregate<T, A, R>,
  options: StateOptions = {},
): StateDescriptor<AggregatingState<T, R>, ReadonlyAggregatingState<R>> {
  return describe('aggregating', (name, host) => new AggregatingHandle<T, A, R>(host, name, codec, aggregate, options))
}

class AggregatingHandle<T, A, R> implements AggregatingState<T, R>, KeptState {
  private readonly cell: ValueCell<A>

  constructor(
    private readonly host: StateHost,
    private readonly name: string,
    codec: CodecOf<A>,
    private readonly aggregate: Aggregate<T, A, R>,
    options: StateOptions,
  ) {
    this.cell = new ValueCell(host, name, codec, options.ttl)
  }

  get(): R | undefined {
    const accumulator = this.cell.read()
    return accumulator === undefined ? undefined : this.aggregate.result(accumulator)
  }

  add(value: T): void {
    this.cell.write(this.aggregate.add(this.cell.readToAdd() ?? this.aggregate.create(), value))
  }

  clear(): void {
    this.cell.clear()
  }

  mergeInto(target: Key, sources: readonly Key[]): void {
    const { merge } = this.aggregate
    if (merge === undefined)
      throw new ConfigurationError('OPTION_INVALID', {
        uid: this.host.uid,
        state: this.name,
        option: 'aggregate.merge',
        expected: 'a function, because windows merge',
      })
    this.cell.fold(target, sources, merge)
  }

  keysWithState(): IterableIterator<Key> {
    return this.cell.keysWithState()
  }

  restored(): void {
    this.cell.restored()
  }
}
