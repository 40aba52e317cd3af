import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { HeldRows } from '../../lib/processor/heldRows.js'
import { type RowHash, rowHash } from '../../lib/processor/rowHash.js'

interface Told {
  readonly table: number
  readonly key: string
  readonly value: string | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Tells rows to what holds them, again and again until all keys had their turn, and answers what was held in each. */
function heldOf(told: readonly Told[], heldBytesMax: number, hashOf = rowHash) {
  const held = new HeldRows(heldBytesMax)
  const hash: RowHash = { first: 0, second: 0 }
  const turns: Told[][] = []
  do {
    for (const { table, key, value } of told) {
      hashOf(table, encoder.encode(key), hash)
      if (held.takes(hash)) held.put(table, encoder.encode(key), hash, value === undefined ? undefined : encoder.encode(value))
    }
    const turn = Array.from(held.rows(), ({ table, key, value }) => ({ table, key: decoder.decode(key), value: value && decoder.decode(value) }))
    for (const { table, key, value } of turn) {
      hashOf(table, encoder.encode(key), hash)
      const found = held.get(table, encoder.encode(key), hash)?.value
      if ((found && decoder.decode(found)) !== value) throw new Error(`${key} is another row`)
    }
    turns.push(turn)
  } while (held.nextTurn())
  return turns
}

const lastOf = (told: readonly Told[]): ReadonlyMap<string, string | undefined> =>
  new Map(told.map(({ table, key, value }) => [`${table} ${key}`, value]))

function requireSame(turns: readonly (readonly Told[])[], told: readonly Told[]): void {
  const rows = turns.flat()
  expect(new Set(rows.map(({ table, key }) => `${table} ${key}`)).size).toBe(rows.length)
  expect(lastOf(rows)).toEqual(lastOf(told))
}

describe('rows that are held', () => {
  test('are each as they were told last, whatever fits', () => {
    const row = fc.record({
      table: fc.nat(2),
      key: fc.string({ maxLength: 3 }),
      value: fc.option(fc.string({ maxLength: 120, size: 'max' }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 100, size: 'max' }), fc.constantFrom(2_000, 32_000), (told, heldBytesMax) => {
        requireSame(heldOf(told, heldBytesMax), told)
      }),
    )
  })

  test('take the memory that they may take, and the rest is told once more', () => {
    const told = Array.from({ length: 20_000 }, (_, index) => ({ table: 0, key: `key ${index}`, value: `value ${index}` }))
    const turns = heldOf(told, 512 * 1024)
    requireSame(turns, told)
    // A row takes 48 bytes: all of them two and a half times as much as there is.
    expect(turns.length).toBeGreaterThanOrEqual(3)
    expect(turns.length).toBeLessThanOrEqual(4)
    expect(Math.max(...turns.map((turn) => turn.length)) * 48).toBeLessThan(512 * 1024)
  })

  test('that grow each time they are told leave nothing behind', () => {
    const told = Array.from({ length: 400 }, (_, index) => ({ table: 0, key: `key ${index % 2}`, value: 'x'.repeat(index) }))
    expect(heldOf(told, 4_000)).toHaveLength(1)
  })

  test('are held where one alone is larger than what may be held, and where hashes are made to collide', () => {
    const large = [
      { table: 0, key: 'a', value: 'x'.repeat(100_000) },
      { table: 0, key: 'b', value: 'y' },
    ]
    requireSame(heldOf(large, 1_000), large)
    const many = Array.from({ length: 300 }, (_, index) => ({ table: 0, key: `key ${index}`, value: 'value' }))
    const collide = (_table: number, _key: Uint8Array, into: RowHash): void => void Object.assign(into, { first: 7, second: 7 })
    requireSame(heldOf(many, 1_000, collide), many)
  })
})
