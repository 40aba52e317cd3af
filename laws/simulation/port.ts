import { either as E, type taskEither } from 'fp-ts'
import type { Life } from './life.js'
import type { Slow } from './world.js'

/** Every failure that a simulation makes says so. */
export const injected = { injected: true } as const

/** One of the ports of a simulated process. */
export interface Port<E> {
  readonly life: Life
  readonly kind: Slow
  readonly failure: () => E
}

/** A call that may fail before it has an effect. */
export const asked =
  <E, A>({ life, kind, failure }: Port<E>, label: string, call: taskEither.TaskEither<E, A>): taskEither.TaskEither<E, A> =>
  () =>
    life.ask(kind, label, async () => (life.fault(kind) ? E.left(failure()) : call()))
