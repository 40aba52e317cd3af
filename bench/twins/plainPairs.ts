import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs'
import * as rxjs from 'rxjs'
import { type AnyStream, records, type Stream } from 'rxweir'
import * as durable from 'rxweir/durable'
import type { Reading } from '../readings.js'

/** An operator of RxJS that waits, or takes a second stream, and its recoverable twin. */
export interface PlainPair {
  readonly rxjs: (other: Observable<Reading>, scheduler: SchedulerLike) => OperatorFunction<Reading, unknown>
  readonly twin: (other: Observable<Reading>) => (source: Stream<Reading>) => AnyStream<unknown>
}

/** In ms of the virtual clock; ten values come in each. */
const waitMs = 2
const warmer = (first: Reading, second: Reading): number => first.celsius - second.celsius

/** Without keys: RxJS has no such operator for keys. */
export const plainPairs: { readonly [name: string]: PlainPair } = {
  delay: { rxjs: (_, scheduler) => rxjs.delay(waitMs, scheduler), twin: () => durable.delay('twin', { dueMs: waitMs }) },
  debounceTime: {
    rxjs: (_, scheduler) => rxjs.debounceTime(waitMs, scheduler),
    twin: () => durable.debounceTime('twin', { dueMs: waitMs }),
  },
  throttleTime: {
    rxjs: (_, scheduler) => rxjs.throttleTime(waitMs, scheduler),
    twin: () => durable.throttleTime('twin', { durationMs: waitMs }),
  },
  bufferTime: {
    rxjs: (_, scheduler) => rxjs.bufferTime(waitMs, scheduler),
    twin: () => durable.bufferTime('twin', { spanMs: waitMs }),
  },
  withLatestFrom: {
    rxjs: (other) =>
      rxjs.pipe(
        rxjs.withLatestFrom(other),
        rxjs.map(([first, second]) => warmer(first, second)),
      ),
    twin: (other) => durable.withLatestFrom('twin', other.pipe(records()), warmer),
  },
  combineLatestWith: {
    rxjs: (other) =>
      rxjs.pipe(
        rxjs.combineLatestWith(other),
        rxjs.map(([first, second]) => warmer(first, second)),
      ),
    twin: (other) => durable.combineLatestWith('twin', other.pipe(records()), warmer),
  },
  zipWith: {
    rxjs: (other) =>
      rxjs.pipe(
        rxjs.zipWith(other),
        rxjs.map(([first, second]) => warmer(first, second)),
      ),
    twin: (other) => durable.zipWith('twin', other.pipe(records()), warmer),
  },
}
