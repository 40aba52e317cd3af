import { describe, expect, it } from 'vitest'
import { campaigns } from '../laws/campaigns.js'
import { passagesOfJobs, type Way } from '../laws/passages.js'
import { runCampaign } from '../laws/runCampaign.js'
import { Verdict } from '../laws/verdict.js'

const seed = 20_260_101
const passages = new Set(passagesOfJobs.map(({ name }) => name))

describe('what is committed equals what is committed without a crash', () => {
  it.each(campaigns.filter(({ name }) => !passages.has(name)))('$name', async (campaign) => {
    const { failure, statistics } = await runCampaign(campaign, { runs: 20 / campaign.long, seed, shrink: true })
    expect(failure).toBeUndefined()
    expect(statistics.crashes).toBeGreaterThan(0)
  })
})

describe('what is committed equals what is committed without a move', () => {
  /** A few ways of each job; together they have crashed wherever it matters. */
  const holds = (way: Way, runs: number) => async (): Promise<void> => {
    const verdict = new Verdict()
    for (const [index, campaign] of campaigns.filter(({ name }) => name.endsWith(way)).entries()) {
      const report = await runCampaign(campaign, { runs, seed: seed + index, shrink: true })
      expect(report.failure).toBeUndefined()
      verdict.add(report)
    }
    const { statistics } = verdict
    expect(statistics.moves).toBeGreaterThan(5)
    expect(statistics.crashesInMove).toBeGreaterThan(2)
    expect(statistics.crashesInSavepoint).toBeGreaterThan(2)
    expect(statistics.crashesTwoDeep).toBeGreaterThan(0)
    if (way === 'back to older checkpoints') {
      expect(statistics.returns).toBeGreaterThan(5)
      expect(statistics.refusals).toBeGreaterThan(0)
    }
  }

  it('through savepoints', holds('through savepoints', 2))
  it('in more and fewer instances', holds('in more and fewer instances', 1))
  it('back to older checkpoints', holds('back to older checkpoints', 3))
})
