import fc from 'fast-check'

export interface LawOptions {
  /** How many random cases; 100 unless told. */
  readonly runs?: number
  /** Replays the cases of this seed. */
  readonly seed?: number
  /** Replays one case of that seed: a failure prints it. */
  readonly path?: string
}

/** A law is a value: it has a name, a sentence, and a way to look for a counterexample. */
export interface Law {
  readonly name: string
  readonly statement: string
  /** Rejects with the smallest counterexample that was found, its seed and the call that replays it. */
  check(options?: LawOptions): Promise<void>
}

/**
 * Makes a law of a property. The property is made anew for each check, so that nothing is kept between two.
 *
 * @param vacuous - asked when no counterexample was found: why the cases did not try what the law is about, if they did not
 */
export function law<Case>(
  name: string,
  statement: string,
  property: () => fc.IAsyncProperty<Case>,
  vacuous?: (runs: number) => string | undefined,
): Law {
  return {
    name,
    statement,
    async check({ runs = 100, seed, path } = {}) {
      const details = await fc.check(property(), { numRuns: runs, ...(seed === undefined ? {} : { seed }), ...(path === undefined ? {} : { path }) })
      if (!details.failed) {
        const why = path === undefined ? vacuous?.(details.numRuns) : undefined
        if (why === undefined) return
        throw new Error(`The law ${name} was not tried: ${why}.\nReplay it with check({ runs: ${runs}, seed: ${details.seed} })`)
      }
      const found = fc.defaultReportMessage(details) ?? ''
      const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance)
      const replay = `check({ seed: ${details.seed}, path: ${JSON.stringify(details.counterexamplePath ?? '')} })`
      throw new Error(`The law ${name} does not hold: ${statement}.\n${reason}\nReplay it with ${replay}\n${found}`, { cause: details.errorInstance })
    },
  }
}
