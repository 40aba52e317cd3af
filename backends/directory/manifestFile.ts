import { createHash } from 'node:crypto'
import * as t from 'io-ts'
import { BackendError } from '../../lib/errors.js'
import type { Json } from '../../lib/json.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { checkHeader, fileHeader, headerBytes } from './fileHeader.js'
import { isSegmentFile, slotFile } from './names.js'
import { openNamed, readFully, withFile, writeAll } from './wholeFiles.js'

/** Offsets, handles and small states go into the manifest; rows do not. */
const manifestBytesMax = 256 * 1024 * 1024
const digestBytes = 32

const count = t.refinement(t.number, (n) => Number.isSafeInteger(n) && n >= 0)
const segmentName = t.refinement(t.string, isSegmentFile)

const segment = t.type({ file: segmentName, bytes: count, sha256: t.refinement(t.string, (hex) => /^[0-9a-f]{64}$/.test(hex)), rows: count })
const manifest = t.type({
  job: t.string,
  /** The slot that this manifest claimed, and the one before it. */
  seq: count,
  parent: t.union([count, t.null]),
  /** The run that owns the storage from this slot on. */
  epoch: count,
  /** The newest complete checkpoint; a takeover carries it on, or has none to carry. `epoch` is that of the run that took it. */
  checkpoint: t.union([t.type({ checkpointId: count, epoch: count, segments: t.array(segment), body: t.unknown }), t.null]),
  /** All checkpoints that can be restored, oldest first, the newest included, with the files that they need. */
  retained: t.array(t.type({ seq: count, checkpointId: count, segments: t.array(segmentName) })),
})

/** A file of rows, as a manifest names it. */
export type Segment = Readonly<t.TypeOf<typeof segment>>
/** What a slot holds. */
export type Manifest = Readonly<t.TypeOf<typeof manifest>>

/** header · length (u32) · JSON text · sha-256 of everything before. */
export function encodeManifest(content: Manifest): Uint8Array {
  let json: Buffer
  try {
    json = Buffer.from(JSON.stringify(content))
  } catch (error) {
    if (error instanceof RangeError) throw new BackendError('BACKEND_FULL', { what: 'manifest', manifestBytesMax }, { cause: error })
    throw error
  }
  if (json.length > manifestBytesMax) throw new BackendError('BACKEND_FULL', { what: 'manifest', found: json.length, manifestBytesMax })
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  const bytes = Buffer.concat([fileHeader('M'), length, json])
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest()])
}

/** Nothing in a manifest is believed before its digest and its shape were checked. */
export function decodeManifest(bytes: Buffer, file: string): Manifest {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file, reason })
  checkHeader(bytes, 'M', file)
  const end = bytes.length - digestBytes
  if (end < headerBytes + 4) throw damaged('the file is cut short')
  if (!createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end))) throw damaged('the digest differs')
  if (bytes.readUInt32LE(headerBytes) !== end - headerBytes - 4) throw damaged('the length differs')
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8', headerBytes + 4, end))
  } catch {
    throw damaged('the text is no JSON')
  }
  if (!manifest.is(content)) throw damaged('the content has another shape')
  return content
}

/** Reads the manifest of a slot. */
export async function readManifest(files: FileLayer, folder: string, seq: number): Promise<Manifest> {
  const file = slotFile(seq)
  const bytes = await withFile(openNamed(files, folder, file), async (opened) => {
    const size = await opened.size()
    if (size > manifestBytesMax + 1024) throw new BackendError('SNAPSHOT_CORRUPT', { file, reason: 'the file is longer than any manifest' })
    const whole = Buffer.alloc(size)
    return whole.subarray(0, await readFully(opened, whole, 0))
  })
  const found = decodeManifest(bytes, file)
  // A valid manifest under another name is an older file that was put back.
  if (found.seq !== seq) throw new BackendError('SNAPSHOT_CORRUPT', { file, reason: 'the file holds another slot', found: found.seq })
  return found
}

/** Writes a manifest under a temporary name, durably but for the name. */
export const writeManifest = (files: FileLayer, path: string, content: Uint8Array): Promise<void> =>
  withFile(files.create(path), async (file) => {
    await writeAll(file, content, 0)
    await file.sync()
  })

export const bodyOf = (checkpoint: NonNullable<Manifest['checkpoint']>): Json => checkpoint.body as Json
