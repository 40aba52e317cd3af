declare const output: unique symbol

/** The type of what an operator emits. */
export interface OutputType<R> {
  readonly [output]: R
}

/**
 * Names the type that `emit` takes: TypeScript cannot infer it from calls inside a body.
 *
 * @category elements
 * @since 0.2.0
 */
export const emits = <R>(): OutputType<R> => ({}) as OutputType<R>

/** Without a declared type `emit` takes nothing, and its error says what to write. */
export type Emitted<R> = [R] extends [never] ? [hint: 'first name the type in the options: emits: emits<...>()'] : [value: R]
