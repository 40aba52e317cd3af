import { decodeNode, type IndexNode, pathOfHead, pathSteps } from './indexNode.js'
import type { IndexedTable } from './keyIndex.js'
import { indexPlace } from './places.js'

/** Looks up a value, at once. The place is good for the one call only. */
export type Look = (place: Uint8Array) => Uint8Array | undefined

/** How many rows a table has. */
export function countKeys(look: Look, table: IndexedTable): number {
  const node = nodeAt(look, table, new Uint8Array(0))
  return node === undefined ? 0 : 'below' in node ? node.below : node.keys.length
}

/** The keys of a table, each once. Those that come meanwhile may be among them, and those that go. */
export function* allKeys(look: Look, table: IndexedTable, path: Uint8Array = new Uint8Array(0)): IterableIterator<Uint8Array> {
  const node = nodeAt(look, table, path)
  if (node === undefined) return
  if ('keys' in node) return yield* node.keys
  if (path.length === pathSteps) return
  for (let step = 0; step < 16; step += 1) yield* allKeys(look, table, Uint8Array.of(...path, step))
}

/** The keys that begin with a composite key up to behind its first part at least, in the order of their bytes. */
export function keysBeginningWith(look: Look, table: IndexedTable, prefix: Uint8Array): readonly Uint8Array[] {
  const wanted = (keys: Iterable<Uint8Array>): readonly Uint8Array[] => [...keys].filter((key) => beginsWith(key, prefix)).sort(inOrder)
  const path = pathOfHead(prefix)
  for (let depth = 0; depth < path.length; depth += 1) {
    const node = nodeAt(look, table, path.subarray(0, depth))
    if (node === undefined) return []
    if ('keys' in node) return wanted(node.keys)
  }
  return wanted(allKeys(look, table, path))
}

function nodeAt(look: Look, table: IndexedTable, path: Uint8Array): IndexNode | undefined {
  const value = look(indexPlace(table, path))
  return value === undefined ? undefined : decodeNode(value)
}

function beginsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index += 1) if (key[index] !== prefix[index]) return false
  return true
}

function inOrder(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
