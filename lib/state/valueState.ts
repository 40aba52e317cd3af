import type { CodecOf, Restorable } from '../codec.js'
import type { Key } from '../key.js'
import type { StateIn } from '../stateOptions.js'
import { describe, type StateDescriptor, type StateOptions } from './descriptor.js'
import type { KeptState, StateHost } from './stateHost.js'
import { ValueCell } from './valueCell.js'

export interface ReadonlyValueState<out S> {
  value(): S
}

/** One value per key. `I` is what it is before the first update: `undefined`, or never that where there is an initial value. */
export interface ValueState<S, I = undefined> extends ReadonlyValueState<S | I> {
  update(next: S): void
  clear(): void
}

/**
 * Describes one value per key.
 *
 * @param codec - what a value looks like: an io-ts type, a Standard Schema, or a codec
 * @param options - `initial`: what it is before the first update; `ttl`: when it expires
 * @category keyed state
 * @since 0.2.0
 */
export function valueState<S, C, H extends 'initial' | 'ttl' = never>(
  codec: C & CodecOf<S> & Restorable<C>,
  options: StateOptions & { readonly initial?: NoInfer<S> } & { readonly [P in H]: unknown } = {} as never,
): StateDescriptor<ValueState<S, 'initial' extends H ? never : undefined>, ReadonlyValueState<StateIn<S, H>>> {
  return describe('value', (name, host) => new ValueHandle<S>(host, name, codec, options) as never)
}

class ValueHandle<S> implements ValueState<S, S | undefined>, KeptState {
  private readonly cell: ValueCell<S>
  private readonly initial: S | undefined

  constructor(host: StateHost, name: string, codec: CodecOf<S>, options: StateOptions & { readonly initial?: S }) {
    this.cell = new ValueCell(host, name, codec, options.ttl)
    this.initial = options.initial
  }

  value(): S | undefined {
    return this.cell.read() ?? this.initial
  }

  /** Updating to `undefined` (in JavaScript `null`, too, where it is no value of the type) is clearing. */
  update(next: S): void {
    if (next === undefined) this.cell.clear()
    else this.cell.write(next)
  }

  clear(): void {
    this.cell.clear()
  }

  keysWithState(): IterableIterator<Key> {
    return this.cell.keysWithState()
  }

  restored(): void {
    this.cell.restored()
  }
}
