import type { KeyValueReads, KeyValueStore } from '../../lib/ports/keyValueStore.js'

/** Keys as text of one letter a byte, so that they have the order of their bytes. */
export type Entries = ReadonlyMap<string, Uint8Array>

export const textOfKey = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

/** Some keys and values as they are read. */
export const readsOf = (entries: Entries): KeyValueReads => {
  const within = ({ from, to }: { readonly from: Uint8Array; readonly to: Uint8Array }, limit: number) =>
    [...entries.keys()]
      .filter((key) => key >= textOfKey(from) && key < textOfKey(to))
      .sort()
      .slice(0, limit)
  return {
    get: async (keys) => keys.map((key) => entries.get(textOfKey(key))),
    keys: async (range, limit) => within(range, limit).map(bytesOf),
    entries: async (range, limit) => within(range, limit).map((key) => [bytesOf(key), entries.get(key) as Uint8Array] as const),
  }
}

/** What outlives whoever opens it. */
export class Stored {
  entries: Entries
  turn: Promise<unknown> = Promise.resolve()

  constructor(entries: Entries = new Map()) {
    this.entries = entries
  }
}

/** A store of keys and values in an object. Steps that write come one after the other, whoever has them done. */
export const mapStore = (stored: Stored): KeyValueStore => ({
  read: (work) => work(readsOf(stored.entries)),
  write(work) {
    const step = async () => {
      const after = new Map(stored.entries)
      const answer = await work({
        ...readsOf(stored.entries),
        put: (key, value) => void after.set(textOfKey(key), value.slice()),
        remove: (key) => void after.delete(textOfKey(key)),
      })
      stored.entries = after
      return answer
    }
    const turn = stored.turn.then(step)
    stored.turn = turn.catch(() => undefined)
    return turn
  },
  close: async () => undefined,
})
