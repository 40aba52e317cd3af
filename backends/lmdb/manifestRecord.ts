import { either } from 'fp-ts'
import * as t from 'io-ts'
import { crc32 } from '../../lib/crc32.js'
import { BackendError } from '../../lib/errors.js'
import type { Json } from '../../lib/json.js'
import type { Bound } from '../../lib/sealing/boundBytes.js'
import type { RowSealing } from './rowSealing.js'

const format = 1

const Needed = t.type({
  format: t.literal(format),
  job: t.string,
  epoch: t.number,
  seq: t.number,
  /** Which of the two trees has the rows. */
  tree: t.union([t.literal(0), t.literal(1)]),
  /** The tables by number: number 1 comes first. */
  tables: t.array(t.tuple([t.string, t.string])),
  /** How many rows each table has, where that is known. */
  rows: t.array(t.union([t.number, t.null])),
  checkpoint: t.union([t.null, t.type({ checkpointId: t.number, epoch: t.number, body: t.unknown })]),
})
/** Of a store that is sealed: bound to its rows. */
const Record = t.intersection([Needed, t.partial({ life: t.string })])

/** What the store says about its rows: the one record that makes them a checkpoint. */
export interface Manifest extends Omit<t.TypeOf<typeof Record>, 'format' | 'checkpoint'> {
  readonly checkpoint: { readonly checkpointId: number; readonly epoch: number; readonly body: Json } | null
}

const utf8 = new TextEncoder()

const bound = (): Bound => ['manifest']

/** Checksum (4 bytes), then JSON, which may be compressed and sealed. */
export function encodeManifest(manifest: Manifest, sealing: RowSealing): Uint8Array {
  const text = sealing.stored(utf8.encode(JSON.stringify({ format, ...manifest })), bound)
  const bytes = new Uint8Array(4 + text.length)
  new DataView(bytes.buffer).setUint32(0, crc32(text))
  bytes.set(text, 4)
  return bytes
}

export function decodeManifest(bytes: Uint8Array, file: string, sealing: RowSealing): Manifest {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file, what: 'the manifest', reason })
  if (bytes.length < 4) throw damaged('it is cut short')
  const text = bytes.subarray(4)
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) !== crc32(text)) throw damaged('its checksum is another')
  const opened = sealing.opened(text, bound, 'the manifest')
  let stored: unknown
  try {
    stored = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(opened))
  } catch (cause) {
    throw new BackendError('SNAPSHOT_CORRUPT', { file, what: 'the manifest', reason: 'it is no JSON text' }, { cause })
  }
  const found = (stored as { format?: unknown } | null)?.format
  if (typeof found === 'number' && found > format) throw new BackendError('FORMAT_NEWER', { what: 'store', found, supported: format, file })
  const decoded = Record.decode(stored)
  if (either.isLeft(decoded)) throw damaged('it is not as it should be')
  return decoded.right as Manifest
}

/** What a row is bound to where it is sealed: the number of its table has one name in the life of the store. */
export const boundOf = (manifest: Manifest | undefined, table: number, key: Uint8Array): Bound => [
  'row',
  manifest?.job ?? '',
  manifest?.life ?? '',
  table,
  key,
]
