import type { Key } from '../key.js'
import { decodeKey, encodeKey } from '../key.js'
import { isOther, type WantedState } from './decodedRows.js'
import { visitFinalRows } from './finalRows.js'
import { HeldRows } from './heldRows.js'
import type { OpenSavepoint } from './openSavepoint.js'
import { ownerOf, readAddress, ShapeFinder } from './rowAddress.js'
import { type RowHash, rowHash } from './rowHash.js'

const encoder = new TextEncoder()
const utf8 = new TextDecoder()
const nothing = new Uint8Array(0)
const keysPerTurn = 1_000

/** Hands over the keys of a state, each once. Where a key has one row at most nothing is held. */
export async function visitKeys(open: OpenSavepoint, wanted: WantedState, hand: (keys: readonly Key[]) => Promise<void>): Promise<void> {
  const { stored, body, heldBytesMax } = open
  const finder = new ShapeFinder(body.maxParallelism)
  const look = (_uid: string, _table: string, bytes: Uint8Array): void => finder.see(bytes)
  const held = new HeldRows(heldBytesMax / 2)
  const hash: RowHash = { first: 0, second: 0 }
  let list: Key[] = []
  const turn = (): Promise<void> | undefined => {
    if (list.length === 0) return undefined
    const full = list
    list = []
    return hand(full)
  }
  do {
    await visitFinalRows(
      stored,
      { isUnwanted: isOther(wanted), heldBytesMax: heldBytesMax / 2, look, turn, keysOnly: true },
      (_uid, _table, bytes) => {
        const shape = finder.shape()
        const key = ownerOf(readAddress(bytes).address, shape)?.key as Key
        if (shape === 'key') return void list.push(key)
        const text = encoder.encode(encodeKey(key))
        rowHash(0, text, hash)
        if (held.takes(hash)) held.put(0, text, hash, nothing)
      },
    )
    for (const { key } of held.rows()) {
      list.push(decodeKey(utf8.decode(key)))
      if (list.length >= keysPerTurn) await turn()
    }
    await turn()
  } while (held.nextTurn())
}
