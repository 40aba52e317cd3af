import { describe, expect, it } from 'vitest'
import { plainLives } from './plainLives.js'

/** Other seeds: RXWEIR_SEED=1000 npx vitest run test/simulation/plainLives.test.ts */
const firstSeed = Number(process.env.RXWEIR_SEED ?? 1)

describe('a pipeline between plain Observables, over deaths and power cuts,', () => {
  for (const delivery of ['immediate', 'withCheckpoint'] as const)
    it(`counts each value that it has answered for once (${delivery}, seeds from ${firstSeed})`, async () => {
      let deaths = 0
      let repeated = 0
      let results = 0
      for (let seed = firstSeed; seed < firstSeed + 60; seed += 1) {
        const verdict = await plainLives(seed, delivery)
        expect(verdict.wrong, `seed ${seed}`).toEqual([])
        deaths += verdict.deaths
        repeated += verdict.repeated
        results += verdict.results
      }
      expect(deaths).toBeGreaterThan(50)
      expect(results).toBeGreaterThan(500)
      // A law whose crashes never make a result come again has not tried what it is about.
      expect(repeated).toBeGreaterThan(0)
    })
})
