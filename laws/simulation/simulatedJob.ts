import type { Observable } from 'rxjs'
import type { AnyStream, Stream } from '../../lib/element.js'
import type { Sunk } from '../../lib/sink.js'
import type { Order } from './compare.js'

/** What a graph function of a simulated job is given. */
export interface SimulatedScope {
  source(uid: string): Stream<never>
  sink(uid: string): (stream: AnyStream) => Observable<Sunk>
}

/** A job whose sources and sinks a simulation stands in for. */
export interface SimulatedJob {
  readonly sources: readonly string[]
  readonly sinks: readonly string[]
  readonly order: Order
  /** What is kept has to agree (`same`, unless told), or depends on the machine's time and on calls outside (`any`). */
  readonly keeps?: 'same' | 'any'
  /** `atLeastOnce`: barriers are only counted. Records may be committed again, and none is lost. */
  readonly guarantee?: 'exactlyOnce' | 'atLeastOnce'
  build(scope: SimulatedScope): Observable<Sunk> | readonly Observable<Sunk>[]
}

/** The records of each source. */
export interface Inputs {
  readonly [source: string]: readonly unknown[]
}
