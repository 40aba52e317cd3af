import { describe, it } from 'vitest'
import { lawsOfStates } from './stateModel.js'

describe('the states of an operator', () => {
  for (const law of lawsOfStates) it(`${law.name}: ${law.statement}`, async () => void (await law.check({ runs: 300 })))
})
