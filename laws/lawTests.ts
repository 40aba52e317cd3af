import type { Law, LawOptions } from './law.js'

/** As much of a test runner as is needed: `it` of vitest and jest, `test` of node:test, and whatever else takes a name and a function. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown

/**
 * Makes a test of each law.
 *
 * @example With whatever test runner there is
 * ```ts
 * const names: string[] = []
 * const it = (name: string): void => void names.push(name)
 * lawTests(it, aggregateLaws({ aggregate: countRecords(), values: fc.nat() }), { runs: 50 })
 * names[0] // => 'aggregate-purity: nothing that a function of the aggregate is given is changed'
 * ```
 * @category laws
 * @since 0.2.0
 */
export function lawTests(test: TestFunction, laws: readonly Law[], options?: LawOptions): void {
  for (const law of laws)
    test(`${law.name}: ${law.statement}`, async () => {
      await law.check(options)
    })
}
