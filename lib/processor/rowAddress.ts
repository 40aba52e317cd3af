/**
 * Whose a stored row is: of a key; of a key in a namespace (a window); or an entry of one, such as an element of a list.
 *
 * The three have addresses that can look alike, since a key may be an array itself (rowTable.ts, entryTable.ts). What tells them apart is
 * the key group that stands before each address: it is that of the key. One row may fit twice by chance, a table hardly does.
 */
import { BackendError } from '../errors.js'
import { decodeKey, encodeKey, type Key } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'

export type RowShape = 'key' | 'namespace' | 'entry'

export interface RowOwner {
  readonly key: Key
  readonly namespace: Key | undefined
  readonly entry: Key | undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The key group and the address of a stored row. */
export function readAddress(bytes: Uint8Array): { readonly group: number; readonly address: Key } {
  let text: string
  try {
    text = utf8.decode(bytes.subarray(2))
  } catch (cause) {
    throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a stored text is not UTF-8' }, { cause })
  }
  return { group: ((bytes[0] as number) << 8) | (bytes[1] as number), address: decodeKey(text) }
}

/** The address of a row, as it is stored. */
export function writtenAddress({ key, namespace, entry }: RowOwner, shape: RowShape): string {
  switch (shape) {
    case 'key':
      return encodeKey(key)
    case 'namespace':
      return encodeKey([key, namespace ?? null])
    case 'entry':
      return encodeKey([key, namespace === undefined ? [] : [namespace], entry as Key])
  }
}

/** The bytes of an address behind its key group. */
export function addressBytes(owner: RowOwner, shape: RowShape, maxParallelism: number): Uint8Array {
  const group = keyGroupOf(owner.key, maxParallelism)
  const text = encoder.encode(writtenAddress(owner, shape))
  const bytes = new Uint8Array(text.length + 2)
  bytes[0] = group >>> 8
  bytes[1] = group & 0xff
  bytes.set(text, 2)
  return bytes
}

/** What an address says where it has this shape; undefined where it cannot have it. */
export function ownerOf(address: Key, shape: RowShape): RowOwner | undefined {
  if (shape === 'key') return { key: address, namespace: undefined, entry: undefined }
  if (!Array.isArray(address)) return undefined
  const [key, second, entry] = address as readonly Key[]
  if (shape === 'namespace') return address.length === 2 ? { key: key as Key, namespace: second as Key, entry: undefined } : undefined
  if (address.length !== 3 || !Array.isArray(second) || second.length > 1) return undefined
  return { key: key as Key, namespace: second[0] as Key | undefined, entry: entry as Key }
}

const shapes: readonly RowShape[] = ['key', 'entry', 'namespace']

/** Finds the shape of a table: the one that all of its rows can have. */
export class ShapeFinder {
  private possible: readonly RowShape[]

  /** @param known - the shape, where something else tells it */
  constructor(
    private readonly maxParallelism: number,
    known?: RowShape,
  ) {
    this.possible = known === undefined ? shapes : [known]
  }

  see(bytes: Uint8Array): void {
    if (this.possible.length <= 1) return
    const { group, address } = readAddress(bytes)
    this.possible = this.possible.filter((shape) => {
      const owner = ownerOf(address, shape)
      return owner !== undefined && keyGroupOf(owner.key, this.maxParallelism) === group
    })
  }

  /** Throws a `BackendError` `SNAPSHOT_CORRUPT` where rows have nothing in common. */
  shape(): RowShape {
    const [found] = this.possible
    if (found === undefined) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'the rows of a table have different shapes' })
    return found
  }
}
