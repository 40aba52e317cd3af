import type { CodecOf, Restorable } from '../codec.js'
import type { Key } from '../key.js'
import { describe, type StateDescriptor, type StateOptions } from './descriptor.js'
import type { KeptState, StateHost } from './stateHost.js'
import { ValueCell } from './valueCell.js'

export interface ReadonlyReducingState<out T> {
  /** What was added, reduced to one; undefined before the first. */
  get(): T | undefined
}

export interface ReducingState<T> extends ReadonlyReducingState<T> {
  add(value: T): void
  clear(): void
}

/**
 * Describes one value per key to which everything that is added is reduced.
 *
 * @param reduce - pure and associative: two values in, one out
 * @category keyed state
 * @since 0.2.0
 */
export function reducingState<T, C>(
  codec: C & CodecOf<T> & Restorable<C>,
  reduce: (a: NoInfer<T>, b: NoInfer<T>) => NoInfer<T>,
  options: StateOptions = {},
): StateDescriptor<ReducingState<T>, ReadonlyReducingState<T>> {
  return describe('reducing', (name, host) => new ReducingHandle<T>(host, name, codec, reduce, options))
}

class ReducingHandle<T> implements ReducingState<T>, KeptState {
  private readonly cell: ValueCell<T>

  constructor(
    host: StateHost,
    name: string,
    codec: CodecOf<T>,
    private readonly reduce: (a: T, b: T) => T,
    options: StateOptions,
  ) {
    this.cell = new ValueCell(host, name, codec, options.ttl)
  }

  get(): T | undefined {
    return this.cell.read()
  }

  add(value: T): void {
    const before = this.cell.readToAdd()
    this.cell.write(before === undefined ? value : this.reduce(before, value))
  }

  clear(): void {
    this.cell.clear()
  }

  mergeInto(target: Key, sources: readonly Key[]): void {
    this.cell.fold(target, sources, this.reduce)
  }

  keysWithState(): IterableIterator<Key> {
    return this.cell.keysWithState()
  }

  restored(): void {
    this.cell.restored()
  }
}
