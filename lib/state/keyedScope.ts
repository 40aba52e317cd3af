import { InvariantViolation } from '../errors.js'
import type { Key } from '../key.js'

/** Whose state the handles of an operator are about at the moment: set before each record and each timer. */
export class KeyedScope {
  private current: Key | undefined
  /** The window, for state that belongs to one. */
  namespace: Key | undefined
  /** The event time of the record or timer, for state that expires by event time. */
  timestamp: number | undefined

  get key(): Key {
    if (this.current === undefined)
      throw new InvariantViolation('it does not hold that keyed state is used while a record or a timer of a key is processed')
    return this.current
  }

  /** For what may be without a key. */
  get keyIfAny(): Key | undefined {
    return this.current
  }

  enter(key: Key, timestamp: number | undefined): void {
    this.current = key
    this.timestamp = timestamp
    this.namespace = undefined
  }

  /** No key is current: the broadcast side, the time between two records. */
  leave(): void {
    this.current = undefined
  }
}
