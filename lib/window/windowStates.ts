import type { Key } from '../key.js'
import { KeyedOperatorState } from '../keyedOperator.js'
import type { MachineContext } from '../machine.js'
import type { Handles, StateDescriptors } from '../state/descriptor.js'

/** The states of the user's functions: per key, and per key and window. */
export class WindowStates<G extends StateDescriptors, W extends StateDescriptors> {
  private readonly ofKey: KeyedOperatorState<G>
  private readonly ofWindow: KeyedOperatorState<W>

  constructor(context: MachineContext<never>, global: G, windowed: W) {
    this.ofKey = new KeyedOperatorState(context, global, undefined, { prefix: 'global.' })
    this.ofWindow = new KeyedOperatorState(context, windowed, undefined, { prefix: 'window.', namespaced: true })
  }

  get global(): Handles<G> {
    return this.ofKey.handles
  }

  get windowed(): Handles<W> {
    return this.ofWindow.handles
  }

  open(): void {
    this.ofKey.open()
    this.ofWindow.open()
  }

  /** What the handles are about, until the next call. */
  enter(key: Key, name: Key): void {
    this.ofKey.enter(key, undefined)
    this.ofWindow.enter(key, undefined)
    this.ofWindow.scope.namespace = name
  }

  expire(): void {
    this.ofKey.expire()
    this.ofWindow.expire()
  }

  /** A window is freed: what was kept of it goes with it. */
  clearWindow(): void {
    for (const handle of Object.values(this.windowed)) (handle as { clear(): void }).clear()
  }
}
