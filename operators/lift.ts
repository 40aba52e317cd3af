import { type Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs'
import type { AnyKeyOperator } from '../lib/element.js'
import { StreamError } from '../lib/errors.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'

/**
 * Takes stateless, synchronous rxjs operators into an element stream: `map`, `filter`, `mergeMap` to an array.
 *
 * Each record's value goes through them by itself; what comes out keeps the key and the event time. Control elements pass beside.
 * An operator that remembers (`scan`, `distinctUntilChanged`) would forget at a crash: use the rxweir operator instead.
 *
 * @throws StreamError `LIFT_ASYNCHRONOUS` when an operator emits outside the call, `LIFT_COMPLETED` when one ends its stream
 * @example rxjs operators on values
 * ```ts
 * await collect(of(1, 2, 3).pipe(records(), lift(map((n) => n * 10), filter((n) => n > 10)))) // => [20, 30]
 * ```
 * @category elements
 * @since 0.1.0
 */
export function lift<A, B>(a: OperatorFunction<A, B>): AnyKeyOperator<A, B>
export function lift<A, B, C>(a: OperatorFunction<A, B>, b: OperatorFunction<B, C>): AnyKeyOperator<A, C>
export function lift<A, B, C, D>(a: OperatorFunction<A, B>, b: OperatorFunction<B, C>, c: OperatorFunction<C, D>): AnyKeyOperator<A, D>
export function lift<A, B, C, D, E>(
  a: OperatorFunction<A, B>,
  b: OperatorFunction<B, C>,
  c: OperatorFunction<C, D>,
  d: OperatorFunction<D, E>,
): AnyKeyOperator<A, E>
export function lift(...lifted: readonly unknown[]): unknown {
  return operate<never, never>({ name: 'lift', create: (context) => new LiftMachine(context, lifted as readonly OperatorFunction<never, never>[]) })
}

class LiftMachine implements Machine<never> {
  private readonly input = new Subject<never>()
  private readonly subscription: Subscription
  private current: { readonly timestamp: number | undefined; readonly key: unknown } | undefined
  private failure: { readonly error: unknown } | undefined
  private ended = false

  constructor(
    private readonly context: MachineContext<never>,
    lifted: readonly OperatorFunction<never, never>[],
  ) {
    const results = lifted.reduce<Observable<never>>((source, operator) => source.pipe(operator), this.input)
    this.subscription = results.subscribe({
      next: (value) => this.emit(value),
      error: (error) => this.refuse(error),
      complete: () => {
        if (!this.ended) this.refuse(new StreamError('LIFT_COMPLETED', { operator: context.uid }))
      },
    })
  }

  processRecord(value: never, timestamp: number | undefined, key: unknown): void {
    this.current = { timestamp, key }
    this.input.next(value)
    this.current = undefined
    if (this.failure !== undefined) throw this.failure.error
  }

  endOfInput(): void {
    this.ended = true
    this.input.complete()
    if (this.failure !== undefined) throw this.failure.error
  }

  close(): void {
    this.subscription.unsubscribe()
  }

  /** What fails further down is kept from rxjs, which would report it to nobody and go on with the next record. */
  private emit(value: never): void {
    if (this.failure !== undefined) return
    if (this.current === undefined) return this.refuse(new StreamError('LIFT_ASYNCHRONOUS', { operator: this.context.uid }))
    try {
      this.context.output.processRecord(value, this.current.timestamp, this.current.key)
    } catch (error) {
      this.failure = { error }
    }
  }

  /** Within a call the error is thrown where the record came from; outside it ends the run. */
  private refuse(error: unknown): void {
    this.failure ??= { error }
    if (this.current === undefined && !this.ended) this.context.fail(error)
  }
}
