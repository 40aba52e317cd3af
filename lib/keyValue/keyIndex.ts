/**
 * The index of the rows of a table, kept in the steps that change the rows.
 *
 * **Invariants** A row of an indexed table is in exactly one leaf, on its path. A node that has keys below it stays one until the last of them is
 * gone: so whoever reads from the top down, while a step may happen between any two reads, misses no row that is there all the time.
 */
import { invariant } from '../errors.js'
import type { KeyValueWrites } from '../ports/keyValueStore.js'
import { decodeNode, encodeNode, type IndexNode, leafKeysMax, pathOf, pathSteps } from './indexNode.js'
import { indexPlace } from './places.js'

/** So many nodes are asked for at once. */
const sliceNodes = 512
const latin1 = new TextDecoder('latin1')

export interface IndexedTable {
  readonly generation: number
  readonly table: number
}

/** A row that came, or went. */
export interface KeyChange {
  readonly key: Uint8Array
  readonly came: boolean
}

interface PathChange extends KeyChange {
  readonly path: Uint8Array
}

/** Changes the index by rows that were not there and came, and by rows that were there and went. No row comes twice in one step. */
export async function changeIndex(at: KeyValueWrites, table: IndexedTable, changes: readonly KeyChange[]): Promise<void> {
  if (changes.length === 0) return
  let nodes: readonly PathChange[][] = [changes.map(({ key, came }) => ({ key, came, path: pathOf(key) }))]
  for (let depth = 0; nodes.length > 0; depth += 1) {
    const below: PathChange[][] = []
    for (let from = 0; from < nodes.length; from += sliceNodes) {
      const slice = nodes.slice(from, from + sliceNodes)
      const places = slice.map(([first]) => indexPlace(table, (first as PathChange).path.subarray(0, depth)))
      const found = await at.get(places)
      for (const [index, changed] of slice.entries()) {
        const value = found[index]
        const place = places[index] as Uint8Array
        const node: IndexNode = value === undefined ? { keys: [] } : decodeNode(value)
        if ('below' in node) {
          const count = changed.reduce((sum, { came }) => sum + (came ? 1 : -1), node.below)
          if (count > 0) at.put(place, encodeNode({ below: count }))
          else at.remove(place)
          below.push(...byStep(changed, depth))
        } else {
          const keys = changedKeys(node.keys, changed)
          if (keys.length > 0) putKeys(at, table, keys, depth)
          else if (value !== undefined) at.remove(place)
        }
      }
    }
    nodes = below
  }
}

/** Puts keys into a node where there was a leaf, or nothing: as a leaf, or into leaves below. */
function putKeys(at: KeyValueWrites, table: IndexedTable, keys: readonly Uint8Array[], depth: number): void {
  const path = pathOf(keys[0] as Uint8Array).subarray(0, depth)
  if (keys.length <= leafKeysMax || depth === pathSteps) return at.put(indexPlace(table, path), encodeNode({ keys }))
  at.put(indexPlace(table, path), encodeNode({ below: keys.length }))
  const divided = byStep(
    keys.map((key) => ({ key, path: pathOf(key) })),
    depth,
  )
  for (const some of divided) {
    putKeys(
      at,
      table,
      some.map(({ key }) => key),
      depth + 1,
    )
  }
}

function byStep<P extends { readonly path: Uint8Array }>(all: readonly P[], depth: number): readonly P[][] {
  const steps = new Map<number, P[]>()
  for (const each of all) {
    const step = each.path[depth] as number
    const alike = steps.get(step)
    if (alike === undefined) steps.set(step, [each])
    else alike.push(each)
  }
  return [...steps.values()]
}

function changedKeys(keys: readonly Uint8Array[], changes: readonly KeyChange[]): readonly Uint8Array[] {
  // The decoder reads some bytes as other characters, but no two bytes as the same one.
  const all = new Map(keys.map((key) => [latin1.decode(key), key]))
  for (const { key, came } of changes) {
    const text = latin1.decode(key)
    invariant(all.has(text) !== came, 'an index knows which rows there are')
    if (came) all.set(text, key)
    else all.delete(text)
  }
  return [...all.values()]
}
