/**
 * Writes the rows of checkpoints anew: under other names, without what is left out, and of several instances those that belong to one.
 *
 * **Invariants** Rows of one key keep their order: a storage may tell the same row several times, and the last one counts. Chunks that
 * need no change are passed on as they are.
 */
import { BackendError } from '../errors.js'
import { type OperatorUid, operatorUid } from '../identity.js'
import type { InstanceShare } from '../instanceShare.js'
import { decodeKey, encodeKey, type Key } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { CheckpointWriter, RowChunk } from '../ports/checkpointStorage.js'
import { RowFrames, readRows } from '../state/rowFrames.js'
import { unwrap } from '../task.js'
import { notOneCut } from './mergedBody.js'
import { evenSplit, type Redistribution } from './redistribution.js'
import type { KnownProgram, Part } from './restored.js'
import type { RestorePlan } from './restorePlan.js'

const chunkBytes = 256 * 1024

/** The elements of one list, by the instances that had them: where each stood, and its value. */
interface ListParts {
  readonly uid: string
  readonly table: string
  readonly mode: 'split' | 'union'
  /** By instance, by the text of its address. */
  readonly elements: readonly Map<string, Uint8Array>[]
}

export class MovedRows {
  rows = 0
  private readonly lists = new Map<string, ListParts>()
  private readonly frames = new RowFrames()
  /** Of operators before the keys, which every instance has alike. */
  private readonly before = new Map<string, { readonly uid: string; readonly addresses: readonly Set<string>[] }>()
  private readonly anySplit: boolean

  constructor(
    private readonly plan: RestorePlan,
    private readonly program: KnownProgram,
    private readonly share: InstanceShare,
    private readonly writer: Pick<CheckpointWriter, 'write'>,
  ) {
    this.anySplit = [...program.participants.values()].some(({ isSplit }) => isSplit)
  }

  async write(): Promise<void> {
    const { parts } = this.plan
    for (const [index, part] of parts.entries()) await unwrap(part.stored.readRows((chunk) => this.visit(chunk, part, index)))
    this.requireOneCut()
    await this.writeLists()
  }

  private visit(chunk: RowChunk, { body }: Part, index: number): Promise<void> | undefined {
    const uid = this.plan.uidOf(chunk.uid)
    // Rows of an operator that the checkpoint does not name any more are nobody's.
    if (uid === undefined || !(chunk.uid in body.operators) || this.plan.leavesOut(chunk.uid, chunk.table)) return undefined
    const { parts, joins } = this.plan
    const mode = joins ? this.modeOf(uid, chunk.table) : 'whole'
    if (joins && parts.length > 1 && this.anySplit && this.program.participants.get(uid)?.isSplit === false) this.note(chunk, uid, index)
    if (mode === 'whole' || mode === 'single')
      return index === this.share.index % parts.length ? this.pass({ ...chunk, uid: uid as OperatorUid }) : undefined
    if (mode === 'keyed') return this.passOwn(chunk, uid)
    this.collect(chunk, { uid, mode, index })
    return undefined
  }

  /** The addresses of its rows: what waits in one instance and not in another has a row there. */
  private note({ table, bytes }: RowChunk, uid: string, index: number): void {
    const name = `${uid}/${table}`
    const noted = this.before.get(name) ?? { uid, addresses: this.plan.parts.map(() => new Set<string>()) }
    this.before.set(name, noted)
    const addresses = noted.addresses[index] as Set<string>
    readRows(bytes, (key, value) => {
      const address = utf8.decode(key.subarray(2))
      if (value === undefined) addresses.delete(address)
      else addresses.add(address)
    })
  }

  private requireOneCut(): void {
    for (const { uid, addresses } of this.before.values()) {
      const [first, ...others] = addresses as [Set<string>, ...Set<string>[]]
      if (others.some((each) => each.size !== first.size || [...each].some((address) => !first.has(address)))) throw notOneCut(uid)
    }
  }

  private modeOf(uid: string, table: string): Redistribution {
    return this.program.participants.get(uid)?.redistribution(table) ?? 'whole'
  }

  private async pass(chunk: RowChunk): Promise<void> {
    this.rows += chunk.rows
    await unwrap(this.writer.write(chunk))
  }

  private passOwn(chunk: RowChunk, uid: string): Promise<void> | undefined {
    const { first, last } = this.share.range
    readRows(chunk.bytes, (key, value) => {
      const group = ((key[0] as number) << 8) | (key[1] as number)
      if (group >= first && group <= last) this.frames.add(key, value)
    })
    return this.flush(uid, chunk.table)
  }

  private flush(uid: string, table: string): Promise<void> | undefined {
    const { rows } = this.frames
    return rows === 0 ? undefined : this.pass({ uid: operatorUid(uid), table, rows, bytes: this.frames.take() })
  }

  /** Lists of an operator are few and short: their elements wait until all instances have told theirs. */
  private collect(chunk: RowChunk, { uid, mode, index }: { uid: string; mode: 'split' | 'union'; index: number }): void {
    const name = `${uid}/${chunk.table}`
    const list = this.lists.get(name) ?? { uid, table: chunk.table, mode, elements: this.plan.parts.map(() => new Map<string, Uint8Array>()) }
    this.lists.set(name, list)
    const elements = list.elements[index] as Map<string, Uint8Array>
    readRows(chunk.bytes, (key, value) => {
      const address = utf8.decode(key.subarray(2))
      if (value === undefined) elements.delete(address)
      else elements.set(address, value.slice())
    })
  }

  private async writeLists(): Promise<void> {
    let start = 0
    for (const { uid, table, mode, elements } of this.lists.values()) {
      const lists = elements.map(inTheirOrder)
      const split = evenSplit(lists, this.share.of, start)
      if (mode === 'split') start = split.next
      const own = mode === 'union' ? lists.flat() : (split.parts[this.share.index] ?? [])
      for (const [number, { key, value }] of own.entries()) {
        this.frames.add(addressBytes(key, number, this.share.maxParallelism), value)
        if (this.frames.byteLength >= chunkBytes) await this.flush(uid, table)
      }
      await this.flush(uid, table)
    }
  }
}

interface Element {
  readonly key: Key
  readonly number: number
  readonly value: Uint8Array
}

/** An element stands at `[key, [], number]` (entryTable.ts). */
function inTheirOrder(elements: ReadonlyMap<string, Uint8Array>): readonly Element[] {
  return [...elements]
    .map(([address, value]) => {
      const decoded = decodeKey(address)
      if (!Array.isArray(decoded) || decoded.length !== 3 || typeof decoded[2] !== 'number')
        throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a row is no element of a list' })
      return { key: decoded[0] as Key, number: decoded[2], value }
    })
    .sort((a, b) => a.number - b.number)
}

function addressBytes(key: Key, number: number, maxParallelism: number): Uint8Array {
  const group = keyGroupOf(key, maxParallelism)
  const text = encoder.encode(encodeKey([key, [], number]))
  const bytes = new Uint8Array(text.length + 2)
  bytes[0] = group >>> 8
  bytes[1] = group & 0xff
  bytes.set(text, 2)
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
