/**
 * Runs golden cases against the library: `npm run golden -- DIRECTORY [-v] [--mutants]`. With `--mutants` it also alters one expectation
 * of a case that passes, each in turn, and counts what was noticed.
 */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count, type Outcome, runCase, runDirectory } from './driver.js'
import { readCases } from './model.js'
import { mutantsOf } from './mutants.js'

const args = process.argv.slice(2)
const verbose = args.includes('-v')
const directory = args.find((each) => !each.startsWith('-')) ?? fileURLToPath(new URL('cases', import.meta.url))

const lines: string[] = []
const all: Outcome[] = []
const files: string[] = []
for (const { file, outcomes } of await runDirectory(directory)) {
  files.push(file)
  lines.push(`${file}  ${count(outcomes)}`)
  for (const { id, result, reason = '' } of outcomes) {
    if (result === 'failed')
      lines.push(
        `  failed ${id}`,
        `    ${
          verbose
            ? reason
            : reason
                .split('\n')
                .slice(0, 3)
                .map((line) => line.slice(0, 600))
                .join('\n')
        }`,
      )
    if (result === 'unsupported' && verbose) lines.push(`  unsupported ${id}: ${reason}`)
  }
  all.push(...outcomes)
}

/** What is missing, honestly: reasons with their number of cases. */
const unsupported = all.filter(({ result }) => result === 'unsupported')
if (unsupported.length > 0) lines.push('unsupported:')
for (const reason of new Set(unsupported.map((each) => each.reason)))
  lines.push(`  ${unsupported.filter((each) => each.reason === reason).length} x ${reason}`)

if (args.includes('--mutants')) {
  const passed = new Set(all.flatMap(({ id, result }) => (result === 'passed' ? [id] : [])))
  let [altered, noticed] = [0, 0]
  for (const file of files)
    for (const golden of readCases(join(directory, file)).filter(({ id }) => passed.has(id)))
      for (const mutant of mutantsOf(golden)) {
        const wasNoticed = (await runCase(mutant.golden)).result !== 'passed'
        altered += 1
        if (wasNoticed) noticed += 1
        else lines.push(`  not noticed ${golden.id}: ${mutant.change}`)
      }
  lines.push(`mutants: ${noticed} of ${altered} noticed`)
}
lines.push(`golden: ${count(all)}`)
process.stdout.write(`${lines.join('\n')}\n`)
process.exitCode = all.length === 0 || all.some(({ result }) => result === 'failed') ? 1 : 0
