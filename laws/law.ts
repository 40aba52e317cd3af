import fc from 'fast-check'
import type { FaultKind } from './simulation/plan.js'

export interface LawOptions {
  /** How many random cases; 100 unless told. */
  readonly runs?: number
  /** Replays the cases of this seed. */
  readonly seed?: number
  /** Replays one case of that seed: a failure prints it. */
  readonly path?: string
  /** What may happen in a simulation beside the records; all of it unless told. Laws without a simulation do not look at it. */
  readonly faults?: readonly FaultKind[]
  /** No case begins after so many milliseconds of the machine's time. A replay needs none. */
  readonly timeBudgetMs?: number
}

/** What a check that found nothing wrong has tried. */
export interface LawReport {
  readonly law: string
  readonly runs: number
  readonly seed: number
  /** What the cases had, such as records, crashes, restored checkpoints. */
  readonly counters: { readonly [name: string]: number }
  /** How often a simulated process ended at each point where the protocol changes hands; empty for laws without a simulation. */
  readonly faultPoints: { readonly [point: string]: number }
  /** What is worth knowing and no failure. */
  readonly notes: readonly string[]
  /** The call that tries the same cases again. */
  readonly replay: string
}

/** A law is a value: it has a name, a sentence, and a way to look for a counterexample. */
export interface Law {
  readonly name: string
  readonly statement: string
  /** Rejects with the smallest counterexample that was found, its seed and the call that replays it. */
  check(options?: LawOptions): Promise<LawReport>
}

/** What a property can tell about its cases, asked when no counterexample was found. */
export interface Told {
  /** Why the cases did not try what the law is about, if they did not. */
  vacuous?(runs: number): string | undefined
  counters?(): { readonly [name: string]: number }
  faultPoints?(): { readonly [point: string]: number }
  notes?(): readonly string[]
}

/**
 * Makes a law of a property. The property is made anew for each check, so that nothing is kept between two.
 *
 * @param told - what the cases had, asked when no counterexample was found
 */
export function law<Case>(name: string, statement: string, property: (options: LawOptions) => fc.IAsyncProperty<Case>, told: Told = {}): Law {
  return {
    name,
    statement,
    async check(options = {}) {
      const { runs = 100, seed, path, timeBudgetMs } = options
      const details = await fc.check(property(options), {
        numRuns: runs,
        ...(seed === undefined ? {} : { seed }),
        ...(path === undefined ? {} : { path }),
        ...(timeBudgetMs === undefined ? {} : { interruptAfterTimeLimit: timeBudgetMs, markInterruptAsFailure: false }),
      })
      if (!details.failed) {
        const replay = callOf(options, { runs: details.numRuns, seed: details.seed })
        const why = path === undefined ? told.vacuous?.(details.numRuns) : undefined
        if (why !== undefined) throw new Error(`The law ${name} was not tried: ${why}.\nReplay it with ${replay}`)
        return {
          law: name,
          runs: details.numRuns,
          seed: details.seed,
          counters: told.counters?.() ?? {},
          faultPoints: told.faultPoints?.() ?? {},
          notes: told.notes?.() ?? [],
          replay,
        }
      }
      const found = fc.defaultReportMessage(details) ?? ''
      const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance)
      const replay = callOf(options, { seed: details.seed, path: details.counterexamplePath ?? '' })
      throw new Error(`The law ${name} does not hold: ${statement}.\n${reason}\nReplay it with ${replay}\n${found}`, { cause: details.errorInstance })
    },
  }
}

/** The call of `check` that does the same again: what may happen decides about the cases. */
function callOf({ faults }: LawOptions, shown: LawOptions): string {
  const all = faults === undefined ? shown : { ...shown, faults }
  return `check({ ${Object.entries(all)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(', ')} })`
}
