import { either as E, option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { must } from '../../laws/storageHistory.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { checkpointId, jobName } from '../../lib/identity.js'

describe('the memory storage', () => {
  const make = () => {
    const store = new MemoryStore()
    return { storage: memory({ store }), otherProcess: () => memory({ store }) }
  }
  for (const law of storageLaws(make, { twoProcesses: true })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 60 }))

  it('refuses a number of retained checkpoints out of its range', () => {
    expect(() => memory({ retainedCheckpoints: 0 })).toThrow('OPTION_INVALID')
  })

  it('keeps only as many checkpoints as it was told', async () => {
    const session = await must(memory({ retainedCheckpoints: 3 }).open(jobName('j')))
    await must(session.latest())
    await must(session.takeOver(O.none))
    for (let id = 1; id <= 5; id++) await must(session.begin(checkpointId(id)).publish(null))
    expect(session.retained()).toEqual([3, 4, 5])
  })

  it('publishes nothing twice', async () => {
    const session = await must(memory().open(jobName('j')))
    await must(session.latest())
    await must(session.takeOver(O.none))
    const writer = session.begin(checkpointId(1))
    await must(writer.publish(null))
    expect(E.isLeft(await writer.publish(null)())).toBe(true)
  })
})
