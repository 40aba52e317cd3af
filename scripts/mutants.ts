/**
 * `npm run mutants -- --count 100 --seed 1`: changes one place of lib/ or operators/ at a time, and says how many of these changes the tests notice.
 *
 * The places are drawn by the seed from all that Stryker can change, so that nobody picks them; what was drawn stays drawn while the code there stays.
 * `--file lib/align.ts` draws from that file alone, `--count all` takes all there are. The mutants that nobody noticed are listed, and the last line
 * says how many there are of each kind. `vitest.mutants.config.ts` has the tests that look for them.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Mutant, MutantResult } from '@stryker-mutator/api/core'
import { Stryker } from '@stryker-mutator/core'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { sourceFiles } from '../test/tidy/sourceFiles.js'
import { root } from './doors.js'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, file: { type: 'string', multiple: true } },
})
const count = values.count === 'all' ? Number.POSITIVE_INFINITY : Number(values.count)
if (!(count > 0)) throw new Error(`--count takes a number or all, not ${JSON.stringify(values.count)}`)

const nothing = (): void => {}
const no = (): boolean => false
/** The instrumenter has nothing to say that Stryker does not say again. */
const silent = {
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing },
  ...{ isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no, isWarnEnabled: no, isErrorEnabled: no, isFatalEnabled: no },
}

/** All mutants of some files. */
async function mutantsOf(files: readonly string[]): Promise<readonly Mutant[]> {
  const sources = files.map((file) => ({ name: resolve(root, file), mutate: true, content: readFileSync(join(root, file), 'utf8') }))
  const { mutants } = await new Instrumenter(silent).instrument(sources, { plugins: null, ignorers: [], excludedMutations: [], noHeader: false })
  return mutants
}

const fileOf = ({ fileName }: Mutant): string => relative(root, fileName).replaceAll('\\', '/')

/** The first so many in an order that the seed makes. */
function drawn(mutants: readonly Mutant[]): readonly Mutant[] {
  const orderOf = (mutant: Mutant): string => {
    const identity = [values.seed, fileOf(mutant), mutant.location, mutant.mutatorName, mutant.replacement]
    return createHash('sha256').update(JSON.stringify(identity)).digest('hex')
  }
  const ordered = mutants.map((mutant) => ({ mutant, order: orderOf(mutant) })).sort((one, other) => (one.order < other.order ? -1 : 1))
  return ordered.slice(0, count).map(({ mutant }) => mutant)
}

/** Where a mutant stands, what stood there, and what stands there now. Lines and columns of results count from 1. */
function told({ fileName, location: { start, end }, replacement }: MutantResult): string {
  const file = relative(root, resolve(root, fileName))
  const lines = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line)
  lines.push((lines.pop() ?? '').slice(0, end.column - 1))
  const was = lines.join('\n').slice(start.column - 1)
  const short = (text: string): string => (text.length > 100 ? `${text.slice(0, 97)}…` : text).replaceAll(/\s+/g, ' ')
  return `${file}:${start.line}  ${short(was)}  =>  ${short(replacement ?? '')}`
}

const all = await mutantsOf(values.file ?? sourceFiles(['lib', 'operators']))
const drawnMutants = drawn(all)
const results = await new Stryker({
  mutate: drawnMutants.map((mutant) => `${fileOf(mutant)}:${mutant.location.start.line + 1}-${mutant.location.end.line + 1}`),
  drawnMutants,
  checkers: ['drawn'],
  plugins: ['@stryker-mutator/vitest-runner', join(root, 'scripts/drawnMutants.mjs')],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutants.config.ts', related: false },
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  ignorePatterns: ['dist', 'docs', 'etc', 'examples', 'bench'],
  disableTypeChecks: false,
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: '.tmp/mutants.json' },
  tempDirName: '.tmp/mutants',
  warnings: { unknownOptions: false, preprocessorErrors: true, unserializableOptions: true, slow: true },
  concurrency: 2,
  timeoutMS: 30_000,
  timeoutFactor: 3,
  dryRunTimeoutMinutes: 60,
}).runMutationTest()

const tried = results.filter(({ statusReason }) => statusReason !== 'not drawn')
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const having = (among: readonly MutantResult[], ...statuses: readonly MutantResult['status'][]): readonly MutantResult[] =>
  among.filter(({ status }) => statuses.includes(status))

/** How many of some mutants were noticed, of those that were tried. One that made the runner itself fail counts for nothing. */
function noticedOf(among: readonly MutantResult[]): string {
  const noticed = having(among, 'Killed', 'Timeout').length
  return `${noticed} of ${noticed + having(among, 'Survived', 'NoCoverage').length} noticed`
}

for (const mutant of having(tried, 'Survived')) print(`no test noticed  ${told(mutant)}`)
for (const mutant of having(tried, 'NoCoverage')) print(`no test reaches  ${told(mutant)}`)
const folderOf = ({ fileName }: MutantResult): string => dirname(relative(root, resolve(root, fileName)))
const counted = having(tried, 'Killed', 'Timeout', 'Survived', 'NoCoverage')
for (const folder of [...new Set(counted.map(folderOf))].sort())
  print(`${folder}: ${noticedOf(counted.filter((mutant) => folderOf(mutant) === folder))}`)
// What Stryker ignores it ignores before it asks whether it was drawn.
const atImport = drawnMutants.length - having(tried, 'Killed', 'Timeout', 'Survived', 'NoCoverage', 'RuntimeError').length
print(
  `mutants: ${noticedOf(tried)} (seed ${values.seed}; ${having(tried, 'Timeout').length} of them by hanging; ${having(tried, 'NoCoverage').length} that no ` +
    `test reaches; not counted: ${atImport} that run at import alone, ${having(tried, 'RuntimeError').length} that broke the runner; drawn from ${all.length})`,
)
