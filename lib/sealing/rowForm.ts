import { BackendError } from '../errors.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { RowFrames, readRows } from '../state/rowFrames.js'
import { type Bound, boundBytes } from './boundBytes.js'
import { isEnvelope } from './envelope.js'
import { packedBytesLeast } from './packing.js'
import type { Primitives } from './primitives.js'
import type { ValueCipher, ValueSealer } from './valueCipher.js'

/** How the rows of a job stand in its storage. */
export type RowForm =
  /** As they are. */
  | { readonly kind: 'plain' }
  /** Keys as they are; values that are long are shorter. */
  | { readonly kind: 'packed' }
  /** Values are sealed, with their keys; what they are stored under is a keyed digest of the key. */
  | {
      readonly kind: 'sealed'
      readonly secret: Uint8Array<ArrayBuffer>
      readonly digest: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>
    }

export const plainForm: RowForm = { kind: 'plain' }
export const packedForm: RowForm = { kind: 'packed' }
export const secretBytes = 32

/** The secret names the life of a storage: what was stored in an earlier one is found under other names. */
export const sealedForm = async (primitives: Primitives, secret: Uint8Array<ArrayBuffer>): Promise<RowForm> => ({
  kind: 'sealed',
  secret,
  digest: await primitives.keyedDigest(secret),
})

/** So much of a digest stands for a key: no two keys of a table have the same. */
const digestBytes = 16
const lengthBytes = 4

/** How chunks are sealed and opened. */
export interface Sealing {
  readonly form: RowForm
  readonly cipher: ValueCipher
  breathe(): Promise<void>
}

/** So many rows are sealed or opened in one go. */
const atOnce = 128

/** A row as it goes into a storage, or comes out of it. */
interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Where the rows of a table are; the checkpoint that wrote them, where the storage can tell it. */
export interface RowPlace {
  readonly job: string
  readonly uid: string
  readonly table: string
  readonly writtenBy: { readonly checkpointId: number; readonly epoch: number } | undefined
}

const boundOf = ({ job, uid, table, writtenBy }: RowPlace, storedKey: Uint8Array): Bound => [
  'row',
  job,
  uid,
  table,
  storedKey,
  writtenBy?.checkpointId ?? '',
  writtenBy?.epoch ?? '',
]

const nothing = new Uint8Array(0)
const digestOf = async (form: RowForm & { readonly kind: 'sealed' }, { uid, table }: RowPlace, key: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  (await form.digest(boundBytes(nothing, [uid, table, key]))).slice(0, digestBytes)

/** The rows of a chunk in the form in which they are stored. */
export async function storedChunk(
  { form, sealer, cipher, breathe }: Sealing & { readonly sealer: ValueSealer },
  place: RowPlace,
  chunk: RowChunk,
): Promise<RowChunk> {
  if (form.kind === 'plain') return chunk
  const stored = await each(rowsIn(chunk), breathe, async ({ key, value }): Promise<Row> => {
    if (form.kind === 'sealed') {
      const digest = await digestOf(form, place, key)
      return { key: digest, value: value === undefined ? undefined : await sealer.seal(withKey(key, value), boundOf(place, digest)) }
    }
    if (value === undefined || !(isEnvelope(value) || (cipher.packs && value.length >= packedBytesLeast))) return { key, value }
    const packed = await sealer.seal(Uint8Array.from(value), [])
    return { key, value: packed.length < value.length || isEnvelope(value) ? packed : value }
  })
  return framed(chunk, stored)
}

/**
 * The rows of a stored chunk as they were.
 *
 * @param visitName - told what each row is stored under, where that is not its key; answers whether it is to be opened. A row that is
 *   deleted cannot be: its key is nowhere.
 */
export async function openedChunk(
  { form, cipher, breathe }: Sealing,
  place: RowPlace,
  chunk: RowChunk,
  visitName: (name: string, deleted: boolean) => boolean,
): Promise<RowChunk> {
  if (form.kind === 'plain') return chunk
  if (form.kind === 'packed')
    return framed(
      chunk,
      await each(rowsIn(chunk), breathe, async ({ key, value }) => ({
        key,
        value: value !== undefined && isEnvelope(value) ? await cipher.open(value, [], 'a row') : value,
      })),
    )
  const wanted: Row[] = []
  readRows(chunk.bytes, (key, value) => {
    if (visitName(nameOf(place, key), value === undefined) && value !== undefined) wanted.push({ key, value })
  })
  const opened = await each(wanted, breathe, async ({ key, value }): Promise<Row> => {
    const row = split(await cipher.open(value ?? nothing, boundOf(place, key), 'a row'))
    const digest = await digestOf(form, place, row.key)
    // Bound to its place as it is, this says that the place is of this life of the storage.
    if (!digest.every((byte, index) => byte === key[index]))
      throw new BackendError('SNAPSHOT_CORRUPT', { what: 'a row', reason: 'its key is another' })
    return row
  })
  return framed(chunk, opened)
}

const latin1 = new TextDecoder('latin1')
const nameOf = ({ uid, table }: RowPlace, key: Uint8Array): string => `${uid}/${table}/${latin1.decode(key)}`

function rowsIn(chunk: RowChunk): readonly Row[] {
  const rows: Row[] = []
  readRows(chunk.bytes, (key, value) => void rows.push({ key, value }))
  return rows
}

async function each(rows: readonly Row[], breathe: () => Promise<void>, work: (row: Row) => Promise<Row>): Promise<readonly Row[]> {
  const done: Row[] = []
  for (let from = 0; from < rows.length; from += atOnce) {
    if (from > 0) await breathe()
    done.push(...(await Promise.all(rows.slice(from, from + atOnce).map(work))))
  }
  return done
}

function framed({ uid, table, bytes }: RowChunk, rows: readonly Row[]): RowChunk {
  const frames = new RowFrames(bytes.length + 64)
  for (const { key, value } of rows) frames.add(key, value)
  return { uid, table, rows: frames.rows, bytes: frames.take() }
}

function withKey(key: Uint8Array, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthBytes + key.length + value.length)
  new DataView(bytes.buffer).setUint32(0, key.length)
  bytes.set(key, lengthBytes)
  bytes.set(value, lengthBytes + key.length)
  return bytes
}

function split(bytes: Uint8Array): { readonly key: Uint8Array; readonly value: Uint8Array } {
  const length = bytes.length < lengthBytes ? Number.POSITIVE_INFINITY : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  if (lengthBytes + length > bytes.length) throw new BackendError('SNAPSHOT_CORRUPT', { what: 'a row', reason: 'its key is cut short' })
  return { key: bytes.subarray(lengthBytes, lengthBytes + length), value: bytes.subarray(lengthBytes + length) }
}
