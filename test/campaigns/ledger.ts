/** What campaigns have found so far, a line of JSON for each: what was run, on which commit and which Node, and how it went. */
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { root } from '../../scripts/doors.js'
import { violationKinds } from '../laws/verdict.js'

export interface LedgerEntry {
  readonly campaign: string
  /** The commit that was tried; with a `+` where the files were not as it has them. */
  readonly commit: string
  readonly node: string
  /** What came after `npm run laws --`. */
  readonly command: string
  /** The line with which the campaign ended. */
  readonly verdict: string
}

/** The ledger of the project. */
export const ledgerFile = 'docs/campaigns.ndjson'

/** What stands here now: ask before a campaign, which may take long. */
export function triedNow(): Pick<LedgerEntry, 'commit' | 'node'> {
  const git = (...words: readonly string[]): string => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
  // The ledger itself changes with each campaign.
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', `:!${ledgerFile}`, ':!docs/campaigns.md') !== ''
  return { commit: `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`, node: process.version }
}

export function append(file: string, { campaign, commit, node, command, verdict }: LedgerEntry): void {
  const line = JSON.stringify({ campaign, commit, node, command, verdict } satisfies LedgerEntry)
  parsed(line)
  appendFileSync(file, `${line}\n`)
}

export interface Figures {
  readonly runs: number
  readonly crashes: number
  readonly checkpoints: number
  readonly records: number
  readonly violations: number
}

const counted = ['runs', 'crashes', 'checkpoints', 'records'] as const
const verdictPattern = new RegExp(`^${[...counted, ...violationKinds, 'seed'].map((name) => `${name}=(\\d+)`).join(' ')}$`)

/** The figures of a verdict. Throws where it is none. */
export function figuresOf(verdict: string): Figures {
  const found = verdictPattern.exec(verdict)
  if (found === null) throw new Error(`this is no verdict: ${verdict}`)
  const [runs, crashes, checkpoints, records, ...rest] = found.slice(1).map(Number) as [number, number, number, number, ...number[]]
  return { runs, crashes, checkpoints, records, violations: rest.slice(0, -1).reduce((sum, count) => sum + count, 0) }
}

/** The entry that a line holds, checked. */
export function parsed(line: string): LedgerEntry {
  const entry = JSON.parse(line) as LedgerEntry
  const names = ['campaign', 'commit', 'node', 'command', 'verdict'] as const
  const wrong = names.find((name) => typeof entry[name] !== 'string' || entry[name] === '')
  if (wrong !== undefined) throw new Error(`an entry of the ledger has no ${wrong}: ${line}`)
  figuresOf(entry.verdict)
  return entry
}
