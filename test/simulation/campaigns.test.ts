import { describe, expect, it } from 'vitest'
import { campaigns } from '../laws/campaigns.js'
import { runCampaign } from '../laws/runCampaign.js'

describe('what is committed equals what is committed without a crash', () => {
  it.each(campaigns)('$name', async (campaign) => {
    const runs = campaign.powerCuts === true ? 25 : 50
    const { failure, statistics } = await runCampaign(campaign, { runs, seed: 20_260_101, shrink: true })
    expect(failure).toBeUndefined()
    expect(statistics.crashes).toBeGreaterThan(0)
  })
})
