import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { features } from './features.js'
import { type Case, Mismatch, readCases, Unknown, Unsupported, unknown } from './model.js'

/** How one case came out. */
export interface Outcome {
  readonly id: string
  readonly result: 'passed' | 'failed' | 'unsupported'
  /** Why it failed, or why it is not supported. */
  readonly reason?: string
}

interface Exception {
  readonly id: string
  readonly reason: string
}

const { cases: exceptions, reasons } = JSON.parse(readFileSync(fileURLToPath(new URL('unsupported.json', import.meta.url)), 'utf8')) as {
  readonly cases: readonly Exception[]
  readonly reasons: readonly { readonly cases: string; readonly reason: string }[]
}

/** Cases that have no meaning here, by the pattern of their id: `*` stands for anything. */
function exceptionFor(id: string): Exception | undefined {
  return exceptions.find((each) =>
    new RegExp(
      `^${each.id
        .split('*')
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    ).test(id),
  )
}

/** Runs one case against the operators and the state of the library. A reason for not supporting it that is not listed is a failure. */
export async function runCase(golden: Case): Promise<Outcome> {
  const { id } = golden
  const exception = exceptionFor(id)
  if (exception !== undefined) return { id, result: 'unsupported', reason: exception.reason }
  try {
    const feature = features[golden.feature]
    if (feature === undefined) throw unknown('feature', golden.feature)
    const nowhere = golden.expected.find(({ after = 0 }) => !Number.isInteger(after) || after < 0 || after >= golden.input.length)
    if (nowhere !== undefined) throw unknown('expectation, it belongs to no step', nowhere)
    await withinPatience(async () => feature(golden))
    return { id, result: 'passed' }
  } catch (error) {
    if (error instanceof Unknown) return { id, result: 'unsupported', reason: error.message }
    if (error instanceof Unsupported && reasons.some(({ reason }) => reason === error.message))
      return { id, result: 'unsupported', reason: error.message }
    return { id, result: 'failed', reason: error instanceof Mismatch ? error.message : String((error as Error)?.stack ?? error) }
  }
}

/** What is waited for in vain would be no outcome at all. */
const patienceMs = 30_000

async function withinPatience(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Mismatch('it does not come to its end')), patienceMs)
  })
  try {
    await Promise.race([work(), impatience])
  } finally {
    clearTimeout(timer)
  }
}

export interface FileOutcome {
  readonly file: string
  readonly outcomes: readonly Outcome[]
}

/** Runs every file of a directory. */
export async function runDirectory(directory: string): Promise<FileOutcome[]> {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
  const results: FileOutcome[] = []
  for (const name of files) {
    const outcomes: Outcome[] = []
    for (const golden of readCases(join(directory, name))) outcomes.push(await runCase(golden))
    results.push({ file: basename(name), outcomes })
  }
  return results
}

export const count = (outcomes: readonly Outcome[]): string => {
  const of = (result: Outcome['result']): number => outcomes.filter((each) => each.result === result).length
  return `${of('passed')} passed, ${of('failed')} failed, ${of('unsupported')} unsupported`
}
