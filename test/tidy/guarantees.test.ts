import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { doors } from '../../scripts/doors.js'
import { cellName, cells, hotCellName, hotCells, sinkKinds, sourceKinds, storageKinds } from '../guarantees/cells.js'
import { targets } from '../guarantees/sinks.js'
import { sources } from '../guarantees/sources.js'
import { storages } from '../guarantees/storages.js'
import { withGenerated } from '../guarantees/table.js'
import { root } from './sourceFiles.js'

it('docs/guarantees.md says what the tests of the cells say: write it with RXWEIR_RECORD=1', () => {
  const file = join(root, 'docs/guarantees.md')
  const page = readFileSync(file, 'utf8')
  if (process.env['RXWEIR_RECORD'] === '1') writeFileSync(file, withGenerated(page))
  expect(readFileSync(file, 'utf8')).toBe(withGenerated(page))
})

it('every cell has a test with a name of its own, and every kind a part that is tried', () => {
  const all = [...cells.map(cellName), ...hotCells.map(hotCellName)]
  expect(new Set(all).size).toBe(all.length)
  expect(Object.keys(sources)).toEqual(Object.keys(sourceKinds))
  expect(Object.keys(storages)).toEqual(Object.keys(storageKinds))
  expect(Object.keys(targets)).toEqual(Object.keys(sinkKinds))
})

/** What a door exports that is none: formats, and the halves of others. */
const isPart = /^(decode|encode|dateBucket|meterRun|jobServer|postgresTables|MemoryStore)/

it('every source, storage and sink that a backend exports has its cells', async () => {
  const exported: string[] = []
  for (const { name } of doors)
    if (name.startsWith('rxweir/backends/')) exported.push(...Object.keys((await import(/* @vite-ignore */ name)) as object))
  const kinds = [...Object.keys(sourceKinds), ...Object.keys(storageKinds), ...Object.keys(sinkKinds)]
  const known = new Set(kinds.map((kind) => kind.split(',')[0] as string))
  const missing = exported.filter((name) => !isPart.test(name) && !known.has(name === 'postgresStorage' ? 'postgres' : name))
  expect(missing).toEqual([])
})
