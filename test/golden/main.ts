/** Runs golden cases against the library: `npm run golden -- DIRECTORY [-v]`. */
import { fileURLToPath } from 'node:url'
import { count, type Outcome, runDirectory } from './driver.js'

const args = process.argv.slice(2)
const verbose = args.includes('-v')
const directory = args.find((each) => !each.startsWith('-')) ?? fileURLToPath(new URL('cases', import.meta.url))

const lines: string[] = []
const all: Outcome[] = []
for (const { file, outcomes } of await runDirectory(directory)) {
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
lines.push(`golden: ${count(all)}`)
process.stdout.write(`${lines.join('\n')}\n`)
process.exitCode = all.length === 0 || all.some(({ result }) => result === 'failed') ? 1 : 0
