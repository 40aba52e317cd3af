import { expect, it } from 'vitest'
import { encryption } from '../support/sealingKeys.js'
import { powerCuts } from './directoryPowerCuts.js'
import { journalPowerCuts } from './journalPowerCuts.js'

const protection = { encryption: encryption(1), compression: 'zlib' } as const

it('a power cut leaves the acknowledged checkpoint or the one under way, whole, of a directory that is compressed and sealed', async () => {
  const { wrong, checkpoints, deaths, nested, images } = await powerCuts(1, { storage: protection, steps: 4 })
  expect(wrong).toEqual([])
  expect(Math.min(checkpoints, deaths, nested)).toBeGreaterThan(0)
  expect(images).toBeGreaterThan(150)
})

it('a power cut loses no acknowledged entry of a journal that is compressed and sealed', async () => {
  const { wrong, trimmed, nested } = await journalPowerCuts(2, { protection })
  expect(wrong).toEqual([])
  expect(Math.min(trimmed, nested)).toBeGreaterThan(0)
})
