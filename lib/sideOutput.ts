import { ConfigurationError } from './errors.js'
import { kindOf } from './kindOf.js'

declare const output: unique symbol

/** Names a side output and the type of what goes there. */
export interface SideOutput<T> {
  readonly tag: string
  readonly [output]: (value: T) => T
}

/** What `sideOutput('late')` without a type argument yields: the compiler's message says what to write. */
export interface NameTheType {
  readonly [output]: 'write sideOutput<Reading>(...)'
}

/**
 * Names a second output of an operator: late data, dead letters.
 *
 * Hand it to the operator that emits it, and tap it with `fromSide`.
 *
 * @example Naming an output
 * ```ts
 * sideOutput<number>('late').tag // => 'late'
 * ```
 * @category elements
 * @since 0.1.0
 */
export const sideOutput = <T = NameTheType>(tag: string): SideOutput<T> => ({ tag }) as SideOutput<T>

/** The tag of a side output; JavaScript callers may hand over anything. */
export function tagOf(side: { readonly tag: string }): string {
  const tag = (side as { readonly tag?: unknown } | null | undefined)?.tag
  if (typeof tag !== 'string')
    throw new ConfigurationError('OPTION_INVALID', { option: 'side output', found: kindOf(side), expected: 'what sideOutput(...) returned' })
  return tag
}
