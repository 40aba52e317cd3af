/**
 * A checker for Stryker, which loads it into processes that do not read TypeScript. Stryker is told lines, not mutants: this one refuses those that stand
 * on the lines of a mutant that `npm run mutants` has drawn, and were not drawn.
 */
const identityOf = ({ fileName, location, mutatorName, replacement }) =>
  JSON.stringify([fileName, location.start, location.end, mutatorName, replacement])

class DrawnMutants {
  static inject = ['options']
  #drawn

  constructor({ drawnMutants }) {
    this.#drawn = new Set(drawnMutants.map(identityOf))
  }

  async init() {}

  async check(mutants) {
    return Object.fromEntries(
      mutants.map((mutant) => [
        mutant.id,
        this.#drawn.has(identityOf(mutant)) ? { status: 'passed' } : { status: 'compileError', reason: 'not drawn' },
      ]),
    )
  }

  /** All at once, instead of one by one. */
  async group(mutants) {
    return [mutants.map(({ id }) => id)]
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'drawn', injectableClass: DrawnMutants }]
