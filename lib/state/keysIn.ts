import { type Key, mapKey } from '../key.js'
import type { Row } from './row.js'

/** The keys of the rows that are in a namespace, each once where the rows of a key stand together. */
export function* keysIn(rows: Iterable<Row>, namespace: Key | undefined): IterableIterator<Key> {
  const wanted = mapKey(namespace ?? null)
  let before: Key | undefined
  for (const { key, namespace: found } of rows) {
    if (key !== before && Object.is(mapKey(found ?? null), wanted)) {
      before = key
      yield key
    }
  }
}
