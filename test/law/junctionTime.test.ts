import { describe, it } from 'vitest'
import { lawsOfJunctionTime } from './junctionTime.js'

describe('event time behind several inputs', () => {
  for (const law of lawsOfJunctionTime) it(`${law.name}: ${law.statement}`, async () => void (await law.check({ runs: 300 })))
})
