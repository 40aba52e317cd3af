import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const root = fileURLToPath(new URL('.', import.meta.url))
const { RXWEIR_TEST_REPORTS: reports } = process.env

/** What takes longest by far, longest first: one that begins last is waited for by all other cores. */
const longest = ['test/postgres/', 'test/law/operatorLaws', 'test/doc/examples', 'test/browser/', 'test/campaigns/', 'test/simulation/campaigns']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((path) => moduleId.includes(path))
      return at < 0 ? longest.length : at
    }
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other))
  }
}

/** What both suites have in common. */
export const common = {
  pool: 'forks',
  /** A core of its own for the one who starts them, as by default, would leave half of a small machine idle. */
  maxWorkers: '100%',
  // Finds what hangs. How long a test takes depends on who else is on the machine.
  testTimeout: 180_000,
  hookTimeout: 180_000,
} as const

/** A machine-readable report beside the readable one, where continuous integration asks for it. */
export const reporting = (suite: string) =>
  reports === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json: `${reports}/${suite}.json` } }

export default defineConfig({
  resolve: {
    // The tests read the source: what they say is about the code as it stands, built or not.
    alias: [
      { find: /^rxweir$/, replacement: `${root}index.ts` },
      { find: /^rxweir\/durable$/, replacement: `${root}operators/durable/index.ts` },
      { find: /^rxweir\/processor$/, replacement: `${root}lib/processor/index.ts` },
      { find: /^rxweir\/(.+)$/, replacement: `${root}$1/index.ts` },
    ],
  },
  test: {
    ...common,
    ...reporting('source'),
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/package/**'],
    sequence: { sequencer: LongestFirst },
  },
})
