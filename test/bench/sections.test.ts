import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as rxweirDurable from 'rxweir/durable'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { oneTimeKeys, operators } from '../../bench/expiry/oneTimeKeys.js'
import { measureJournal } from '../../bench/journal/measureJournal.js'
import { sideBySide } from '../../bench/sideBySide.js'
import { measureTwins, twinsThere } from '../../bench/twins/measureTwins.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
})
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))

it('every recoverable twin stands beside its operator, and both make the same', async () => {
  const compared = new Set(twinsThere.map(({ name }) => name))
  expect(Object.keys(rxweirDurable).filter((name) => !compared.has(name))).toEqual([])
  const measured = await measureTwins({ names: twinsThere, records: 400, keys: 20, measuredMs: 1, repetitions: 1 })
  for (const { ratios } of measured) expect(ratios.rxjs?.byClock).toBeGreaterThan(0)
})

it('ways that do not make the same are found', async () => {
  const way = (made: string) => () => ({ ms: 1, cpuMs: 1, made })
  await expect(sideBySide('two ways', { one: way('a'), other: way('b') }, { records: 1, repetitions: 1 })).rejects.toThrow('do not agree')
})

it('the journal takes the lines that are appended by hand, and every pipeline makes the same', async () => {
  const { appending, pipelines } = await measureJournal({ records: 600, keys: 20, repetitions: 1, groups: [50] })
  expect(appending[0]?.bytesRatio).toBeGreaterThan(1)
  expect(Object.keys(pipelines.ratios)).toHaveLength(4)
})

it.each(Object.keys(operators))('the heap is looked at while keys come and go: %s', async (operator) => {
  let looked = 0
  const heapBytes = (): number => {
    looked += 1
    return looked
  }
  expect(await oneTimeKeys({ operator, keys: 2_000, keptKeys: 500, folder: join(folder, operator), heapBytes })).toBeGreaterThan(10)
})
