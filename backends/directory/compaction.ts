/**
 * Merges neighbouring segments into one.
 *
 * **Invariants** The merged segment, put in the place of the run, leaves the state as it was. A row of an older segment is left
 * out when a newer one of the run has its key, so keys are disjoint between what remains of each, and only the order within a
 * segment counts, which is kept. Deletions go only when the run begins with the oldest segment of all.
 *
 * **Memory** The keys of the run's newer segments are held, at most about `compactionKeysMax` of them: of more rows, each of
 * several passes takes those keys whose hash falls into its share. Besides that, one chunk in and one chunk out.
 */
import type { Clock } from '../../lib/clock.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import type { Segment } from './manifestFile.js'
import { readSegment, type SegmentWriter } from './segmentFile.js'

/** What goes out in one piece, and how much is worked through before others have a turn. */
const chunkBytesTarget = 256 * 1024

export interface Run {
  readonly segments: readonly Segment[]
  /** Nothing is older than this run. */
  readonly oldest: boolean
}

/**
 * Chooses which segments to merge: from the newest backwards while the next older one is not much larger than what is merged
 * already. So sizes fall off along the chain, and each row is rewritten a logarithmic number of times.
 */
export function chooseRun(chain: readonly Segment[], segmentsMax: number): Run | undefined {
  if (chain.length <= segmentsMax) return undefined
  let from = chain.length - 1
  let bytes = chain[from]?.bytes ?? 0
  while (from > 0) {
    const older = chain[from - 1]?.bytes ?? 0
    if (older > 2 * bytes && chain.length - from >= 2) break
    bytes += older
    from -= 1
  }
  return { segments: chain.slice(from), oldest: from === 0 }
}

export interface CompactionOptions {
  readonly files: FileLayer
  readonly folder: string
  readonly clock: Clock
  readonly compactionKeysMax: number
  /** Asked between chunks; throws to give up. */
  goOn(): void
}

/** Writes the merged rows of a run. */
export async function compact(run: Run, into: SegmentWriter, options: CompactionOptions): Promise<void> {
  const newerRows = run.segments.slice(1).reduce((sum, segment) => sum + segment.rows, 0)
  const passes = Math.max(1, Math.ceil(newerRows / options.compactionKeysMax))
  for (let pass = 0; pass < passes; pass += 1) await mergePass(run, into, options, passes === 1 ? () => true : (key) => hashOf(key) % passes === pass)
}

async function mergePass(run: Run, into: SegmentWriter, options: CompactionOptions, mine: (key: Uint8Array) => boolean): Promise<void> {
  const { files, folder } = options
  const seen = new Set<string>()
  const output = new Output(into, options)
  for (let index = run.segments.length - 1; index >= 0; index -= 1) {
    const segment = run.segments[index] as Segment
    // A deletion may follow a value of its key within one segment: such keys are settled before anything of them goes out.
    const settled = new Map<string, Settled | undefined>()
    const eachRow = (visit: (name: string, chunk: RowChunk, key: Uint8Array, value: Uint8Array | undefined) => void): Promise<void> =>
      readSegment(files, folder, segment, async (chunk) => {
        options.goOn()
        // Injective: the table's length says where the key begins.
        const prefix = `${chunk.uid} ${chunk.table.length} ${chunk.table} `
        readRows(chunk.bytes, (key, value) => {
          if (mine(key)) visit(prefix + latin1(key), chunk, key, value)
        })
        await output.turn(chunk.bytes.length)
      })
    if (run.oldest)
      await eachRow((name, _chunk, _key, value) => {
        if (value === undefined) settled.set(name, undefined)
      })
    const added: string[] = []
    await eachRow((name, chunk, key, value) => {
      if (seen.has(name)) return
      if (index > 0) added.push(name)
      if (!settled.has(name)) output.add(chunk, key, value)
      else settled.set(name, value === undefined ? undefined : { chunk: { uid: chunk.uid, table: chunk.table }, key: key.slice(), value: value.slice() })
    })
    for (const row of settled.values()) if (row !== undefined) output.add(row.chunk, row.key, row.value)
    for (const name of added) seen.add(name)
    await output.turn(0)
  }
  await output.end()
}

type Table = Pick<RowChunk, 'uid' | 'table'>
interface Settled {
  readonly chunk: Table
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Collects rows per table and hands them on in chunks. */
class Output {
  private readonly tables = new Map<string, { readonly table: Table; readonly frames: RowFrames }>()
  private sinceTurn = 0

  constructor(
    private readonly into: SegmentWriter,
    private readonly options: CompactionOptions,
  ) {}

  add(table: Table, key: Uint8Array, value: Uint8Array | undefined): void {
    const name = `${table.uid} ${table.table}`
    let entry = this.tables.get(name)
    if (entry === undefined) {
      entry = { table: { uid: table.uid, table: table.table }, frames: new RowFrames(4 * 1024) }
      this.tables.set(name, entry)
    }
    entry.frames.add(key, value)
  }

  /** Between chunks: writes what has come together, and lets others run. */
  async turn(bytes: number): Promise<void> {
    for (const entry of this.tables.values()) if (entry.frames.byteLength >= chunkBytesTarget) await this.write(entry)
    this.sinceTurn += bytes
    if (this.sinceTurn < chunkBytesTarget) return
    this.sinceTurn = 0
    await this.options.clock.yield()
  }

  async end(): Promise<void> {
    for (const entry of this.tables.values()) await this.write(entry)
  }

  private async write({ table, frames }: { readonly table: Table; readonly frames: RowFrames }): Promise<void> {
    if (frames.rows === 0) return
    const { rows } = frames
    await this.into.add({ ...table, rows, bytes: frames.take() })
  }
}

const latin1 = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** FNV-1a: spreads keys over the passes. */
function hashOf(key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
