import { expect, it } from 'vitest'
import { measure } from '../../bench/measure.js'
import { assertSameResults, figuresOf, tableOf } from '../../bench/report.js'
import { scenarios, variantsOf } from '../../bench/scenarios.js'
import { variants } from '../../bench/variants/variants.js'

const records = 4_000
const tiny = (variant: string) => measure({ variant, records, keys: 100, measuredMs: 1 })

it.each(scenarios)('the variants of $name make the same results, and have a row in the table', async (scenario) => {
  const rounds = new Map()
  for (const variant of variantsOf(scenario, false)) rounds.set(variant, [await tiny(variant)])
  assertSameResults(scenario, rounds)
  for (const [measurement] of rounds.values()) expect(measurement.results).toBeGreaterThan(records / 50)
  expect(
    tableOf(scenario, records, rounds)
      .split('\n')
      .filter((line) => line.startsWith('| ')),
  ).toHaveLength(rounds.size + 1)
  for (const figure of Object.keys(scenario.ratios)) expect(figuresOf(scenario, rounds)[figure]).toBeGreaterThan(0)
})

it('every variant belongs to a scenario, but for checkpoint settings that nothing is said about', () => {
  const used = new Set(scenarios.flatMap((scenario) => variantsOf(scenario, false)))
  expect([...variants.keys()].filter((name) => !used.has(name) && !/^[a-z]+-rxweir\//.test(name))).toEqual([])
})

it('variants that disagree are found', async () => {
  const scenario = scenarios[0]!
  const measurement = await tiny('map')
  const rounds = new Map([
    ['map', [measurement]],
    ['scan', [{ ...measurement, checksum: measurement.checksum + 1e-9 }]],
  ])
  expect(() => assertSameResults(scenario, rounds)).toThrow(/do not agree/)
})
