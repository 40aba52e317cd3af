import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import suite from './vitest.config.js'

/**
 * The tests that look for mutants of lib/ and operators/, for `npm run mutants`: all that are quick and that several can share a process with. Each mutant
 * needs a run, so these are left out, though they would notice some more:
 */
const leftOut: { readonly [path: string]: string } = {
  'test/unit/directory*.test.ts': 'crashes models of file systems thousands of times',
  'test/unit/{cli,lmdb*,level}.test.ts': 'is about programs and drivers, which are not mutated',
  'test/{unit/hostileBytes,law/pollution}.test.ts': 'changes what all objects inherit',
  'test/law/{lmdb,level,http,indexeddb,nodeStreams,sealedDirectory,fileSource,sink,source}Laws.test.ts': 'the laws of ports, for drivers',
  'test/law/{operator,passage,job}Laws.test.ts': 'hundreds of properties, half a minute of them',
  'test/law/{guarantees,expiryCleanUp,nestedCrashes,zombies}.test.ts': 'thousands of crashes',
}

/** What noticed the last mutant comes first, then what is quick: the first test that fails ends a run. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const known = new Map(files.map((file) => [file, this.ctx.cache.getFileTestResults(`:${file.moduleId.slice(this.ctx.config.root.length + 1)}`)]))
    const rank = (file: TestSpecification): number => (known.get(file)?.failed ? -1 : (known.get(file)?.duration ?? 0))
    return [...files].sort((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  ...suite,
  test: {
    ...suite.test,
    include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/law/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...Object.keys(leftOut)],
    isolate: false,
    setupFiles: ['test/support/fixedSeed.ts'],
    sequence: { sequencer: QuickestFirst },
  },
})
