/** A little of each campaign, so that they do not rot; and that each of them notices what it is for. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/doors.js'
import type { Findings } from './adversary.js'
import { cannotCut, type FileSystem, fileSystems } from './cutHomes.js'
import { disk } from './disk.js'
import { growthOf } from './growth.js'
import { images } from './images.js'
import { kill } from './kill.js'
import { append, figuresOf, parsed } from './ledger.js'
import type { CampaignOptions } from './main.js'
import { damagePart, type MediaFound } from './mediaPart.js'
import { Observer, type Visible } from './observer.js'
import { judged } from './oracle.js'
import { boundOf, campaignsPage, entriesIn, kinds, summed } from './page.js'
import { power } from './power.js'
import { mixed } from './records.js'
import { soak } from './soak.js'
import { expectedLines, outputs } from './workload.js'

const small = (options: Partial<CampaignOptions>): CampaignOptions => ({
  runs: 4,
  seed: 7,
  atOnce: 2,
  minutes: 1,
  report: () => undefined,
  ...options,
})
const sound = ({ violations, failures, statistics }: Findings): void => {
  expect(failures).toEqual([])
  expect(violations).toEqual([])
  expect(statistics.runs).toBeGreaterThan(0)
}
const cannot = await cannotCut(fileSystems[0] as FileSystem)
const where = cannot === undefined ? '' : `, skipped because ${cannot}`

describe('a small campaign', () => {
  it('of kills', async () => sound(await kill(small({ runs: 3, atOnce: 1, places: ['plain'] }))))

  it.skipIf(cannot !== undefined)(`of power cuts${where}`, async () =>
    sound((await power(small({ runs: 2, atOnce: 1, places: ['sealed'] }))) as Findings),
  )

  it.skipIf(cannot !== undefined)(`of power cuts notices a program that syncs nothing${where}`, async () => {
    const { violations } = (await power({ ...small({ runs: 8, atOnce: 1, places: ['plain'] }), lies: true })) as Findings
    expect(violations.length).toBeGreaterThan(0)
  })

  it('of calls that fail', async () => {
    const found = await disk(small({ runs: 3, atOnce: 1, places: ['lmdb'] }))
    if ('skipped' in found) expect(found.skipped).toContain('strace')
    else sound(found)
  })

  it('of images of disks', async () => sound(await images(small({ runs: 50 }))))

  it('of damage', async () => {
    const found: MediaFound[] = []
    await damagePart({ seed: 7, flips: 20, hostile: 100, part: 2, parts: 5 }, (each) => found.push(each))
    expect(found.flatMap(({ wrong }) => wrong)).toEqual([])
    expect(found.reduce((sum, { noticed }) => sum + noticed, 0)).toBeGreaterThan(100)
    expect(found.at(-1)?.hostile).toBeGreaterThan(0)
  })

  const heapMax = 8 * 1024 * 1024

  it('that soaks', async () => {
    const { failures, statistics } = await soak({ ...small({ runs: 20_000, minutes: 0.02 }), lives: 4, samples: 12, heapMax })
    expect(failures).toEqual([])
    expect(statistics).toMatchObject({ runs: 1, crashes: 3 })
  })

  // Where the machine is busy, most of a soak of two seconds may be its start and its end, in which nothing comes.
  it('that soaks notices what is kept', { retry: 5 }, async () => {
    const { failures } = await soak({ ...small({ runs: 20_000, minutes: 0.04, leakBytes: 1_000_000 }), lives: 2, samples: 40, heapMax })
    expect(failures.map((failure) => failure.replace(/\d+/g, 'N'))).toEqual(['LEAKED: heap grew by N at least, and N may be'])
  })
})

describe('the judges of campaigns', () => {
  const seed = 3
  const ends = [200, 400]
  const lines = (): { chains: string[]; sums: string[] } => {
    const { chains, sums } = expectedLines(seed, ends)
    return { chains: chains.map((line) => JSON.stringify(line)), sums: sums.map((line) => JSON.stringify(line)) }
  }
  const kindsOf = (found: ReturnType<typeof lines>): readonly string[] => [...new Set(judged(seed, ends, found).map(({ kind }) => kind))]

  it('pass over what is as it should be', () => expect(kindsOf(lines())).toEqual([]))
  it.each(outputs)('tell what is lost, doubled, in another order, and different, of %s', (output) => {
    const all = lines()[output]
    const instead = (other: readonly string[]): readonly string[] => kindsOf({ ...lines(), [output]: other })
    expect(instead(all.slice(1))).toEqual(['LOST'])
    expect(instead([...all, all[0] as string])).toEqual(['DOUBLED'])
    expect(instead(all.toReversed())).toEqual(['REORDERED'])
    expect(instead([...all, '{"key":"0:1","count":-1}'])).toEqual(['STATE_DIFF'])
    expect(instead([...all, 'part-1 is cut short'])).toEqual(['STATE_DIFF'])
  })

  it('tell what was seen and is gone, or is another', async () => {
    let visible: Visible = new Map([['one', ['a', 'b']]])
    const observer = new Observer(async () => visible)
    await observer.look()
    await observer.look()
    expect(observer.violations).toEqual([])
    visible = new Map([['one', ['a']]])
    await observer.last()
    visible = new Map()
    await observer.look()
    expect(observer.violations.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'PHANTOM chains: one is not what it was',
      'PHANTOM sums: one is not what it was',
      'PHANTOM chains: one was seen committed, and later was not',
      'PHANTOM sums: one was seen committed, and later was not',
    ])
  })

  const samples = (count: number, value: (at: number) => number) => Array.from({ length: count }, (_, at) => [at, value(at)] as const)

  it('tell growth from going up and down', () => {
    expect(growthOf(samples(40, (at) => 100 + 10 * Math.sin(at * at)))).toBeLessThanOrEqual(0)
    expect(growthOf(samples(40, (at) => 100 + at + 2 * Math.sin(at * at)))).toBeGreaterThan(20)
    expect(() => growthOf(samples(3, () => 1))).toThrow('3 samples')
  })

  it('tell a small leak from what is under way', () => {
    // Megabytes, a sample a second: what is under way comes and goes, now and then much of it, and later more of it than at first.
    const draw = (at: number): number => mixed(5, at) / 2 ** 32
    const heap = (at: number): number => 15 + draw(at) + (draw(1_000 + at) < 0.2 ? 20 * draw(2_000 + at) * (1 + at / 180) : 0)
    for (const seconds of [60, 180, 600]) {
      expect(growthOf(samples(seconds, heap))).toBeLessThan(0.5)
      // 100 bytes of every thousand records, at a hundred thousand a second.
      expect(growthOf(samples(seconds, (at) => heap(at) + 0.01 * at))).toBeGreaterThan(0.75 * 0.01 * seconds - 0.5)
    }
  })
})

describe('the ledger', () => {
  const verdict = (runs: number, lost = 0): string =>
    `runs=${runs} crashes=2 checkpoints=3 records=4 LOST=${lost} DOUBLED=0 REORDERED=0 PHANTOM=0 STATE_DIFF=0 SILENT=0 HUNG=0 LEAKED=0 seed=1`
  const entry = (campaign: string, runs: number) => ({ campaign, commit: 'c', node: 'v20', command: '--seed 1', verdict: verdict(runs) })

  it('adds up what is independent, and counts what repeats itself once', () => {
    const entries = [entry('kill', 10), entry('kill', 10), entry('simulation', 5), entry('simulation', 5), entry('simulation', 6)]
    expect(summed(entries, { campaign: 'kill', repeatable: false })).toMatchObject({ times: 2, runs: 20, crashes: 4 })
    expect(summed(entries, { campaign: 'simulation', repeatable: true })).toMatchObject({ times: 2, runs: 11 })
  })

  it('says how sure one may be', () => {
    expect(boundOf({ runs: 0, violations: 0 })).toBe('–')
    expect(boundOf({ runs: 300, violations: 1 })).toBe('–')
    expect(boundOf({ runs: 300, violations: 0 })).toBe('0.010')
    expect(boundOf({ runs: 3_000_000_000, violations: 0 })).toBe('1.0 × 10⁻⁹')
  })

  it('takes whole entries only', () => {
    expect(figuresOf(verdict(7, 2))).toEqual({ runs: 7, crashes: 2, checkpoints: 3, records: 4, violations: 2 })
    expect(() => figuresOf('runs=1')).toThrow('no verdict')
    expect(() => parsed(JSON.stringify({ ...entry('kill', 1), commit: '' }))).toThrow('no commit')
    expect(() => append('/nowhere', { ...entry('kill', 1), command: '' })).toThrow('no command')
    expect(() => campaignsPage([entry('unheard of', 1)])).toThrow('unheard of')
  })

  it('is what docs/campaigns.md says', () => {
    expect(readFileSync(`${root}/docs/campaigns.md`, 'utf8'), 'docs/campaigns.md is out of date. Hint: npm run campaigns').toBe(
      campaignsPage(entriesIn()),
    )
  })

  it('knows every campaign', async () => {
    const { realCampaigns } = await import('./main.js')
    expect(kinds.map(({ campaign }) => campaign).sort()).toEqual(['simulation', ...Object.keys(realCampaigns)].sort())
  })
})
