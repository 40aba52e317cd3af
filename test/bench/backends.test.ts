import { expect, it } from 'vitest'
import { accesses } from '../../bench/backends/accesses.js'
import { measureBackend } from '../../bench/backends/measureBackend.js'
import { measureRaw } from '../../bench/backends/rawWrites.js'
import { zipf } from '../../bench/backends/zipf.js'

const request = { keys: 50, again: 120, access: 'skewed', recordsPerCheckpoint: 40, connection: '' } as const

it.each(['memory', 'directory', 'lmdb', 'level', 'level rows'] as const)('the keyed mean is measured on %s', async (backend) => {
  const { rows, changedBytes, writtenBytes = Number.POSITIVE_INFINITY, recoverMs } = await measureBackend({ ...request, backend })
  expect(rows).toBeGreaterThan(5)
  expect(rows).toBeLessThan(40)
  expect(changedBytes).toBeGreaterThan(rows * 10)
  expect(writtenBytes).toBeGreaterThan(backend === 'memory' ? -1 : changedBytes)
  expect(recoverMs === undefined).toBe(backend === 'memory')
})

it.each(['directory', 'lmdb', 'level'] as const)('so is the driver below %s', async (backend) => {
  expect((await measureRaw({ ...request, backend })).again).toBeGreaterThan(0)
})

it('every key comes once before keys come again', () => {
  const all = accesses(1_000, 500, 'skewed')
  expect(new Set(all.subarray(0, 1_000)).size).toBe(1_000)
  expect(Math.max(...all)).toBe(999)
})

it('a rank comes as often as its weight says', () => {
  let seed = 1
  const next = zipf(5, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  })
  const counts = [0, 0, 0, 0, 0]
  for (let draw = 0; draw < 100_000; draw += 1) counts[next()]! += 1
  const weights = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5
  for (const [rank, count] of counts.entries()) expect((count / 100_000) * weights * (rank + 1)).toBeCloseTo(1, 1)
})
