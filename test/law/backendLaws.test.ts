import { taskEither } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { backendLaws } from '../../laws/backendLaws.js'
import type { StateTables } from '../../lib/ports/stateBackend.js'
import { EntryTable } from '../../lib/state/entryTable.js'
import { heap, heapTables } from '../../lib/state/heap.js'

describe('the heap', () => {
  for (const law of backendLaws(heap)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 300 }))
})

describe('a backend that', () => {
  const broken = (tables: Partial<StateTables>) => () => ({
    manifest: { name: 'broken', largerThanMemory: false },
    open: () => taskEither.right({ ...heapTables, ...tables }),
  })

  it('forgets what was given back is caught', async () => {
    class Forgets<S> extends EntryTable<S> {
      override captureEnded(): void {
        super.captureEnded([])
      }
    }
    const laws = backendLaws(broken({ entries: (options, scope) => new Forgets(options, scope) }))
    await expect(Promise.all(laws.map((law) => law.check({ runs: 300 })))).rejects.toThrow('given-back')
  })

  it('hands out one table twice is caught', async () => {
    let only: EntryTable<never> | undefined
    const laws = backendLaws(
      broken({
        entries: (options, scope) => {
          only ??= new EntryTable(options, scope) as EntryTable<never>
          return only as never
        },
      }),
    )
    await expect(laws.find(({ name }) => name === 'table-isolation')?.check({ runs: 300 })).rejects.toThrow('table-isolation')
  })
})
