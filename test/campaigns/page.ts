/** docs/campaigns.md: what each campaign does, and the sum of the ledger. */
import { existsSync, readFileSync } from 'node:fs'
import { root } from '../../scripts/doors.js'
import { type Figures, figuresOf, type LedgerEntry, ledgerFile, parsed } from './ledger.js'

interface Kind {
  readonly campaign: string
  readonly does: string
  /** The units of the figures, where they are not those of its name. */
  readonly figures: string
  /** The same command finds the same again, so that it counts once for a commit. */
  readonly repeatable: boolean
  readonly command: string
  readonly atEachChange: string
}

export const kinds: readonly Kind[] = [
  {
    campaign: 'simulation',
    does: 'jobs of every kind in one process whose time, chance, promises, calls and crashes are drawn from a seed; processes die and power is cut, in recovery too. Some of the jobs go on elsewhere: from a savepoint in another backend, in more or fewer instances, from an older checkpoint; processes die while they do',
    figures: 'a run is a schedule, or all the schedules of one way through several storages',
    repeatable: true,
    command: 'npm run laws -- --runs 20000',
    atEachChange: '20,000 schedules',
  },
  {
    campaign: 'images',
    does: 'power cuts of the model of a file system: behind every operation of a history, what a disk may hold then is recovered from, and cut again',
    figures: 'a run, and a crash, is an image of a disk',
    repeatable: true,
    command: 'npm run laws -- --campaign images --runs 1000000',
    atEachChange: '1,000,000 images',
  },
  {
    campaign: 'kill',
    does: 'real processes and SIGKILL at any instant, up to three recoveries deep, over files, sealed files, LMDB, LevelDB and Postgres, and both sinks of files',
    figures: 'a run is a job from its first process to its last; its output is watched all the time and compared in the end',
    repeatable: false,
    command: 'npm run laws -- --campaign kill --runs 2000',
    atEachChange: '2,000 kills',
  },
  {
    campaign: 'disk',
    does: 'real processes whose calls to the system fail now and then, or for ever: syncs, writes, renames, links and removals, with EIO or ENOSPC; and SIGKILL as above (needs strace)',
    figures: 'a run is a job from its first process to its last, which alone has a disk that works',
    repeatable: false,
    command: 'npm run laws -- --campaign disk --runs 500',
    atEachChange: '500 processes',
  },
  {
    campaign: 'power',
    does: 'ext4 and xfs on loop devices that are shut down in the middle of the work, mounted again and recovered from, up to three deep (needs root)',
    figures: 'a run is a job from its first process to its last; each crash is a cut',
    repeatable: false,
    command: 'npm run laws -- --campaign power --runs 500',
    atEachChange: '500 cuts',
  },
  {
    campaign: 'media',
    does: 'whatever is stored, read again with every bit of 16 KiB flipped, cut at every length, with sectors swapped and older files put back; and hostile bytes for every decoder',
    figures: 'a run is a damaged reference; a record is a hostile input',
    repeatable: true,
    command: 'npm run laws -- --campaign media',
    atEachChange: 'every bit of 16 KiB of each format, and 200,000 hostile inputs',
  },
  {
    campaign: 'soak',
    does: 'one process for minutes, in which a job of keys that come and go is crashed and stopped; heap, descriptors and timers must not grow, nor how far its sources are apart',
    figures: 'a run is a process; crashes are those of the job in it',
    repeatable: false,
    command: 'npm run laws -- --campaign soak --minutes 3',
    atEachChange: '3 minutes, 10,000,000 records',
  },
]

/** What belongs to it, and has a verdict of another form. */
const others: readonly Pick<Kind, 'campaign' | 'command' | 'atEachChange'>[] = [
  { campaign: 'planted bugs', atEachChange: 'each of them is caught, within 2,000 schedules', command: 'npm run laws -- --self-test' },
  {
    campaign: 'failing calls of the model',
    atEachChange: 'the first, the second, … and the last call of a history fails, once and for ever',
    command: 'npm test',
  },
]

/** The entries of the ledger. */
export function entriesIn(file = `${root}/${ledgerFile}`): readonly LedgerEntry[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parsed)
}

/** All that a campaign has found. What is sure to find the same is counted once. */
export function summed(
  entries: readonly LedgerEntry[],
  { campaign, repeatable }: Pick<Kind, 'campaign' | 'repeatable'>,
): Figures & { readonly times: number } {
  const sum = { times: 0, runs: 0, crashes: 0, checkpoints: 0, records: 0, violations: 0 }
  const known = new Set<string>()
  for (const entry of entries) {
    if (entry.campaign !== campaign) continue
    const same = `${entry.commit} ${entry.verdict}`
    if (repeatable && known.has(same)) continue
    known.add(same)
    sum.times += 1
    const figures = figuresOf(entry.verdict)
    for (const name of Object.keys(figures) as (keyof Figures)[]) sum[name] += figures[name]
  }
  return sum
}

/** With 95 %, at most so many of all runs go wrong, when none of these did: the rule of three. */
export const boundOf = ({ runs, violations }: Pick<Figures, 'runs' | 'violations'>): string => {
  if (runs === 0 || violations > 0) return '–'
  const bound = Math.min(1, 3 / runs)
  return bound
    .toPrecision(2)
    .replace(/e-(\d+)$/, ' × 10⁻$1')
    .replace(/⁻(\d+)/, (_, power: string) => `⁻${[...power].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`)
}

const shown = (count: number): string => count.toLocaleString('en-US')

export function campaignsPage(entries: readonly LedgerEntry[]): string {
  const unknown = entries.find(({ campaign }) => !kinds.some((kind) => kind.campaign === campaign))
  if (unknown !== undefined) throw new Error(`the ledger knows a campaign that nobody describes: ${unknown.campaign}`)
  const rows = kinds.map((kind) => {
    const { times, runs, crashes, checkpoints, records, violations } = summed(entries, kind)
    return `| ${kind.campaign} | ${[times, runs, crashes, checkpoints, records, violations].map(shown).join(' | ')} | ${kind.campaign === 'media' ? '–' : boundOf({ runs, violations })} |`
  })
  return `${[
    `<!-- Generated from ${ledgerFile} by \`npm run campaigns\`: add to the ledger, do not edit this page. -->\n`,
    '# Campaigns\n',
    intro,
    '| campaign | times | runs | crashes | checkpoints | records | violations | bound |\n| --- | --: | --: | --: | --: | --: | --: | --: |',
    `${rows.join('\n')}\n`,
    bound,
    '## What each of them does\n',
    ...kinds.map(({ campaign, does, figures }) => `- **${campaign}**: ${does}. Here ${figures}.`),
    '\n## How much at each change\n',
    '| campaign | at each change | command |\n| --- | --- | --- |',
    [...kinds, ...others].map(({ campaign, atEachChange, command }) => `| ${campaign} | ${atEachChange} | \`${command}\` |`).join('\n'),
    `\n${end}`,
  ].join('\n')}`
}

const intro = `\`npm test\` tries a little of everything. These campaigns try much of one thing, on demand. Each ends in one line that says what was tried
and how often each kind of violation was seen: a record lost, doubled or out of order; one that a reader saw committed and that was
gone later (phantom); state that differs; damage that nobody noticed (silent), or a campaign that tried nothing; a run that hung; something
that leaked. \`--ledger ${ledgerFile}\` adds that line, with the commit and the release of Node, to a file that is kept; this is its sum.
`

const bound = `When none of N independent runs went wrong, at most 3 in N of all runs like them do, with 95 % certainty: that is the bound. It says nothing
of runs that are not like them. Damages are all there are of their kind, and have none.
`

const end = `\`--seed\` and \`--runs\` choose what is tried; a simulation, an image and a damage come again with their seed. Where a campaign needs what is not there,
root, strace or a server of Postgres, it says \`skipped\` and why, and counts nothing; with \`RXWEIR_REQUIRE_SERVICES=1\` that is a failure.

What a shut-down file system has handed to its disk stays there: the cache of the disk itself is not cut. The model of the campaign *images* has no such mercy.
`
