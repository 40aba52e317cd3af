import { describe, expect, it } from 'vitest'
import { plantedBugs } from './bugs.js'
import { planted } from './plant.js'
import { selfTest } from './selfTest.js'

describe('a planted bug', () => {
  it.each(plantedBugs)('has its one place: $name', (bug) => {
    expect(planted(bug)).toContain(bug.replace)
  })

  it('has a name of its own', () => {
    expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length)
  })

  it('is refused where the engine has changed', () => {
    const [bug] = plantedBugs
    expect(() => planted(bug as NonNullable<typeof bug>, 'nothing of it')).toThrow('has 0 places')
  })
})

it('bugs are caught by the campaigns, and the engine as it is passes them', async () => {
  const names = [
    'commits are decided before the manifest is published',
    'a junction lets a barrier pass with the first input',
    'the manifest is not synced',
  ]
  const bugs = plantedBugs.filter(({ name }) => names.includes(name))
  const lines: string[] = []
  const sound = await selfTest({ seed: 1, rounds: [2, 40], soundRounds: 1, bugs, report: (line) => lines.push(line) })
  expect(lines.at(-1)).toBe('planted: 3 of 3 caught')
  expect(sound, lines.join('\n')).toBe(true)
})
