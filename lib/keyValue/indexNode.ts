/**
 * Nodes of an index: which rows a table has, for those who can look up but not iterate.
 *
 * A row stands under a path of sixteen steps, each one of sixteen ways: eight tell what its key begins with (of an entry, the key of its
 * operator), eight the whole key. So rows that belong together lie together. A node is a leaf with a few keys, or knows how many are below it:
 *
 *     0, then of each key its length (4 bytes) and the key        1, then how many keys there are below (8 bytes)
 */
import { crc32 } from '../crc32.js'
import { sealed, unsealed } from './sealed.js'

/** So many keys are in one leaf; more are divided among the nodes below it. */
export const leafKeysMax = 32
const stepsOfHash = 8
export const pathSteps = 2 * stepsOfHash

export type IndexNode = { readonly keys: readonly Uint8Array[] } | { readonly below: number }

/** The key group of a row stands before its key. */
const keyGroupBytes = 2
const [quote, comma, backslash, openBracket, closeBracket] = [0x22, 0x2c, 0x5c, 0x5b, 0x5d]

export function pathOf(key: Uint8Array): Uint8Array {
  const path = new Uint8Array(pathSteps)
  path.set(stepsOf(crc32(headOf(key))))
  path.set(stepsOf(crc32(key)), stepsOfHash)
  return path
}

/** Where all rows lie whose keys begin with this one: in nodes below it, or in a leaf on the way. */
export const pathOfHead = (key: Uint8Array): Uint8Array => stepsOf(crc32(headOf(key)))

/** What a row shares with those that belong together with it: of a composite key, up to behind its first part. */
function headOf(key: Uint8Array): Uint8Array {
  if (key[keyGroupBytes] !== openBracket) return key
  let depth = 0
  let quoted = false
  for (let at = keyGroupBytes; at < key.length; at += 1) {
    const byte = key[at]
    if (quoted) {
      if (byte === backslash) at += 1
      else if (byte === quote) quoted = false
    } else if (byte === quote) quoted = true
    else if (byte === openBracket) depth += 1
    else if (byte === closeBracket) depth -= 1
    else if (byte === comma && depth === 1) return key.subarray(0, at)
  }
  return key
}

const stepsOf = (hash: number): Uint8Array => Uint8Array.from({ length: stepsOfHash }, (_, step) => (hash >>> (28 - 4 * step)) & 0xf)

export function encodeNode(node: IndexNode): Uint8Array {
  if ('below' in node) {
    const bytes = new Uint8Array(9)
    bytes[0] = 1
    new DataView(bytes.buffer).setFloat64(1, node.below)
    return sealed(bytes)
  }
  const bytes = new Uint8Array(node.keys.reduce((sum, key) => sum + 4 + key.length, 1))
  const view = new DataView(bytes.buffer)
  let at = 1
  for (const key of node.keys) {
    view.setUint32(at, key.length)
    bytes.set(key, at + 4)
    at += 4 + key.length
  }
  return sealed(bytes)
}

export function decodeNode(value: Uint8Array): IndexNode {
  const bytes = unsealed(value, 'an index')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes[0] === 1) return { below: view.getFloat64(1) }
  const keys: Uint8Array[] = []
  for (let at = 1; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at)
    keys.push(bytes.subarray(at + 4, end))
    at = end
  }
  return { keys }
}
