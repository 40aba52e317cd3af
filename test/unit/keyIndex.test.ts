import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeKey, type Key } from '../../lib/key.js'
import { keyGroupOf } from '../../lib/keyGroup.js'
import { allKeys, countKeys, keysBeginningWith, type Look } from '../../lib/keyValue/indexedKeys.js'
import { leafKeysMax } from '../../lib/keyValue/indexNode.js'
import { changeIndex } from '../../lib/keyValue/keyIndex.js'
import { mapStore, Stored, textOfKey } from '../support/mapStore.js'

const table = { generation: 3, table: 1 }
const utf8 = new TextEncoder()

/** A row as the frames have it: the group of the key, then its text. */
function bytesOf(key: Key, text: string): Uint8Array {
  const group = keyGroupOf(key, 128)
  return Uint8Array.of(group >>> 8, group & 0xff, ...utf8.encode(text))
}
const entryOf = (key: Key, entry: Key): Uint8Array => bytesOf(key, encodeKey([key, [], entry]))

/** An index in an object, and what is in it. */
function indexed() {
  const stored = new Stored()
  const look: Look = (place) => stored.entries.get(textOfKey(place))
  return {
    stored,
    look,
    change: (keys: readonly Uint8Array[], came: boolean) =>
      mapStore(stored).write((at) =>
        changeIndex(
          at,
          table,
          keys.map((key) => ({ key, came })),
        ),
      ),
    get keys(): readonly string[] {
      return [...allKeys(look, table)].map(textOfKey).sort()
    },
  }
}

const sorted = (keys: Iterable<Uint8Array>): readonly string[] => [...keys].map(textOfKey).sort()

describe('an index of keys', () => {
  it('has the rows that came and did not go, all of them and those of each key, and leaves nothing behind', async () => {
    const key = fc.constantFrom<Key>('a', 'ab', 'a,"]', '\\"', 1, -2, ['a', 1], [['a'], '['])
    const some = fc.uniqueArray(fc.record({ key, entry: fc.nat(400) }), {
      selector: ({ key, entry }) => encodeKey([key, entry]),
      maxLength: 150,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ came: fc.boolean(), some }), { maxLength: 6 }), async (steps) => {
        const index = indexed()
        const model = new Map<string, { readonly key: Key; readonly row: Uint8Array }>()
        for (const { came, some: all } of steps) {
          const rows = all.map(({ key: of, entry }) => ({ key: of, row: entryOf(of, entry) })).filter(({ row }) => model.has(textOfKey(row)) !== came)
          await index.change(
            rows.map(({ row }) => row),
            came,
          )
          for (const each of rows) came ? model.set(textOfKey(each.row), each) : model.delete(textOfKey(each.row))
          expect(index.keys).toEqual([...model.keys()].sort())
          expect(countKeys(index.look, table)).toBe(model.size)
          for (const { key: of } of all) {
            const found = keysBeginningWith(index.look, table, bytesOf(of, `[${encodeKey(of)},`))
            expect(found.map(textOfKey)).toEqual(
              sorted([...model.values()].filter(({ key: other }) => encodeKey(other) === encodeKey(of)).map(({ row }) => row)),
            )
          }
        }
        await index.change(
          [...model.values()].map(({ row }) => row),
          false,
        )
        expect(index.stored.entries.size).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('changes a few small nodes for a row, however many there are, of one key too', async () => {
    const index = indexed()
    await index.change(
      Array.from({ length: 5_000 }, (_, entry) => entryOf('one', entry)),
      true,
    )
    await index.change(
      Array.from({ length: 5_000 }, (_, key) => entryOf(key, 0)),
      true,
    )
    const before = index.stored.entries
    await index.change([entryOf('one', 5_000)], true)
    const changed = [...index.stored.entries].filter(([place, value]) => before.get(place) !== value)
    expect(changed.length).toBeLessThan(16)
    expect(changed.reduce((sum, [, value]) => sum + value.length, 0)).toBeLessThan(16 * 16 + 40 * leafKeysMax)
    let looks = 0
    const counting: Look = (place) => {
      looks += 1
      return index.look(place)
    }
    expect(keysBeginningWith(counting, table, bytesOf(7, '[7,'))).toHaveLength(1)
    expect(looks).toBeLessThan(8)
  })

  it('shows whoever goes through it all that is there all the time, once, whatever comes and goes meanwhile', async () => {
    const index = indexed()
    const staying = Array.from({ length: 300 }, (_, entry) => entryOf('stays', entry))
    const others = Array.from({ length: 3_000 }, (_, entry) => entryOf(`other ${entry % 40}`, entry))
    await index.change(staying, true)
    const seen: Uint8Array[] = []
    let step = 0
    for (const key of allKeys(index.look, table)) {
      seen.push(key)
      // A step of the store may happen between any two reads.
      if (seen.length % 50 === 0) await index.change(others, step++ % 2 === 0)
    }
    expect(step).toBeGreaterThan(3)
    const texts = seen.map(textOfKey)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toEqual(expect.arrayContaining(staying.map(textOfKey)))
  })
})
