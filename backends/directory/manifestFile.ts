import { createHash } from 'node:crypto'
import * as t from 'io-ts'
import { BackendError, invariant } from '../../lib/errors.js'
import type { Json } from '../../lib/json.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { HeldBytes } from './byteSource.js'
import { checkHeader, type FileFormat, fileHeader, headerBytes } from './fileHeader.js'
import { isSegmentFile, slotFile } from './names.js'
import { BlockCutter, blockBytesMax, OpenedBytes } from './sealing/blockStream.js'
import type { FileProtection } from './sealing/fileProtection.js'
import { openNamed, readFully, withFile, writeAll } from './wholeFiles.js'

/** Offsets, handles and small states go into the manifest; rows do not. */
const manifestBytesMax = 256 * 1024 * 1024
const digestBytes = 32

const count = t.refinement(t.number, (n) => Number.isSafeInteger(n) && n >= 0)
const segmentName = t.refinement(t.string, isSegmentFile)

const segment = t.intersection([
  t.type({ file: segmentName, bytes: count, sha256: t.refinement(t.string, (hex) => /^[0-9a-f]{64}$/.test(hex)), rows: count }),
  /** The id of the key that sealed it. */
  t.partial({ key: t.string }),
])
const content = t.type({
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
/** Where files are sealed, a name for the life of the folder: drawn by the first takeover, and carried on. */
const manifest = t.intersection([content, t.partial({ life: t.string })])

/** A file of rows, as a manifest names it. */
export type Segment = Readonly<t.TypeOf<typeof segment>>
/** What a slot holds. */
export type Manifest = Readonly<t.TypeOf<typeof manifest>>

/** length (u32) · JSON text */
function textOf(content: Manifest): readonly [length: Buffer, json: Buffer] {
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
  return [length, json]
}

const digested = (bytes: Buffer): Buffer => Buffer.concat([bytes, createHash('sha256').update(bytes).digest()])

/** header · length (u32) · JSON text · sha-256 of everything before. */
export const encodeManifest = (content: Manifest): Uint8Array => digested(Buffer.concat([fileHeader('M'), ...textOf(content)]))

/** The bytes of a slot's file: as `encodeManifest` has them, or header · protection · blocks of length and JSON text · sha-256 of all. */
export async function manifestBytes(content: Manifest, protection: FileProtection): Promise<Uint8Array> {
  const sealer = protection.sealer(slotFile(content.seq), fileHeader('M', 2))
  if (sealer === undefined) return encodeManifest(content)
  const stored: Uint8Array[] = [sealer.beginning]
  const cutter = new BlockCutter(sealer, sealer.beginning.length, async (part) => {
    stored.push(part.slice())
  })
  for (const part of textOf(content)) await cutter.add(part)
  await cutter.end()
  return digested(Buffer.concat(stored))
}

/** Nothing in a manifest is believed before its digest and its shape were checked. */
export function decodeManifest(bytes: Buffer, file: string): Manifest {
  const { format, stored } = verified(bytes, file)
  invariant(format === 1, 'a manifest that is sealed is opened first')
  return manifestOf(stored.subarray(headerBytes), file)
}

const damage = (file: string, reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file, reason })

function verified(bytes: Buffer, file: string): { readonly format: FileFormat; readonly stored: Buffer } {
  const format = checkHeader(bytes, 'M', file)
  const end = bytes.length - digestBytes
  if (end < headerBytes + 4) throw damage(file, 'the file is cut short')
  const stored = bytes.subarray(0, end)
  if (!createHash('sha256').update(stored).digest().equals(bytes.subarray(end))) throw damage(file, 'the digest differs')
  return { format, stored }
}

function manifestOf(text: Buffer, file: string): Manifest {
  if (text.readUInt32LE(0) !== text.length - 4) throw damage(file, 'the length differs')
  let found: unknown
  try {
    found = JSON.parse(text.toString('utf8', 4))
  } catch {
    throw damage(file, 'the text is no JSON')
  }
  if (!manifest.is(found)) throw damage(file, 'the content has another shape')
  return found
}

async function openedText(stored: Buffer, file: string, protection: FileProtection): Promise<Buffer> {
  const held = new HeldBytes(stored, (reason) => damage(file, reason))
  const before = await held.take(headerBytes)
  const opener = await protection.opener(file, before, (length) => held.take(length), blockBytesMax)
  const opened = new OpenedBytes(file, opener, held)
  const length = await opened.take(4)
  if (length.readUInt32LE(0) > manifestBytesMax) throw damage(file, 'the text is longer than any')
  const text = Buffer.concat([length, await opened.take(length.readUInt32LE(0))])
  if (!opened.hasEnded) throw damage(file, 'the length differs')
  return text
}

/** Reads the manifest of a slot. */
export async function readManifest(files: FileLayer, folder: string, seq: number, protection: FileProtection): Promise<Manifest> {
  const file = slotFile(seq)
  const bytes = await withFile(openNamed(files, folder, file), async (opened) => {
    const size = await opened.size()
    if (size > manifestBytesMax + 1024) throw new BackendError('SNAPSHOT_CORRUPT', { file, reason: 'the file is longer than any manifest' })
    const whole = Buffer.alloc(size)
    return whole.subarray(0, await readFully(opened, whole, 0))
  })
  const { format, stored } = verified(bytes, file)
  if (format === 1) protection.plain(file)
  const found = manifestOf(format === 1 ? stored.subarray(headerBytes) : await openedText(stored, file, protection), file)
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
