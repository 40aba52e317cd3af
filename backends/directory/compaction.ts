/**
 * Merges neighbouring segments into one.
 *
 * **Invariants** The merged segment, put in the place of the run, leaves the state as it was. A row of an older segment is left
 * out when a newer one of the run has its key, so keys are disjoint between what remains of each, and only the order within a
 * segment counts, which is kept. Deletions go only when the run begins with the oldest segment of all. A row that has expired
 * becomes a deletion, so that no older value of it comes back; in a run that begins with the oldest segment it goes.
 *
 * **Memory** The keys of the run's newer segments are held, at most about `compactionKeysMax` of them: of more rows, each of
 * several passes takes those keys whose hash falls into its share. So many keys of expired rows are held, too; the rows
 * beyond that go with the next merge. Besides that, one chunk in and one chunk out.
 */
import type { Clock } from '../../lib/clock.js'
import type { ExpiredRows, RowChunk } from '../../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import type { Folder } from './folder.js'
import { hashOf, KeyTable } from './keyTable.js'
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
  let rows = chain[from]?.rows ?? 0
  for (let older = chain[from - 1]; older !== undefined; older = chain[from - 1]) {
    // Rows count too: deletions are short, and yet they may leave little alive of what is older.
    if (older.bytes > 2 * bytes && older.rows > 2 * rows && chain.length - from >= 2) break
    bytes += older.bytes
    rows += older.rows
    from -= 1
  }
  return { segments: chain.slice(from), oldest: from === 0 }
}

/**
 * What another key than the current one sealed, or none, with all that lies in between: when the key has changed, one merge rewrites it.
 */
export function outdatedRun(chain: readonly Segment[], key: string): Run | undefined {
  const isOutdated = (segment: Segment): boolean => segment.key !== key
  const from = chain.findIndex(isOutdated)
  return from < 0 ? undefined : { segments: chain.slice(from, chain.findLastIndex(isOutdated) + 1), oldest: from === 0 }
}

export interface CompactionOptions {
  readonly folder: Folder
  readonly clock: Clock
  readonly compactionKeysMax: number
  /** Rows that are left out, whatever they hold. */
  readonly expired?: ExpiredRows | undefined
  /** Asked for each chunk that is read, with its bytes; throws to give up. */
  goOn(bytes: number): void
}

/** How often each row of a run is looked at. */
export function timesRead({ segments, oldest }: Run, compactionKeysMax: number): number {
  return passesOf(segments, compactionKeysMax) * (oldest ? 2 : 1)
}

const newerRowsOf = (segments: readonly Segment[]): number => segments.slice(1).reduce((sum, segment) => sum + segment.rows, 0)

const passesOf = (segments: readonly Segment[], compactionKeysMax: number): number =>
  Math.max(1, Math.ceil(newerRowsOf(segments) / compactionKeysMax))

/** Writes the merged rows of a run. */
export async function compact(run: Run, into: SegmentWriter, options: CompactionOptions): Promise<void> {
  const passes = passesOf(run.segments, options.compactionKeysMax)
  const keysExpected = Math.ceil(newerRowsOf(run.segments) / passes)
  for (let pass = 0; pass < passes; pass += 1) await mergePass(run, into, options, keysExpected, (hash) => hash % passes === pass)
}

async function mergePass(
  run: Run,
  into: SegmentWriter,
  options: CompactionOptions,
  keysExpected: number,
  mine: (hash: number) => boolean,
): Promise<void> {
  const { folder } = options
  const met = new KeyTable(keysExpected)
  const output = new Output(into, options)
  for (let index = run.segments.length - 1; index >= 0; index -= 1) {
    const segment = run.segments[index] as Segment
    type Visit = (chunk: RowChunk, table: number, key: Uint8Array, value: Uint8Array | undefined, hash: number, isExpired: boolean) => void
    const eachRow = (visit: Visit): Promise<void> =>
      readSegment(folder, segment, async (chunk) => {
        options.goOn(chunk.bytes.length)
        const table = output.tableOf(chunk)
        const expired = options.expired?.(chunk.uid, chunk.table)
        readRows(chunk.bytes, (key, value) => {
          const hash = hashOf(key)
          if (mine(hash)) visit(chunk, table, key, value, hash, value !== undefined && expired?.(value) === true)
        })
        await output.turn(chunk.bytes.length)
      })
    // A deletion may follow a value of its key within one segment: such keys are settled before anything of them goes out.
    const settled = new Map<string, Settled | undefined>()
    const nameOf = (table: number, key: Uint8Array): string => `${table} ${latin1(key)}`
    if (run.oldest)
      await eachRow((_chunk, table, key, value, _hash, isExpired) => {
        if (value === undefined || (isExpired && settled.size < options.compactionKeysMax)) settled.set(nameOf(table, key), undefined)
      })
    await eachRow((chunk, table, key, value, hash, isExpired) => {
      if (met.hadByOther(table, key, hash, index, index > 0)) return
      const name = settled.size === 0 ? undefined : nameOf(table, key)
      if (name === undefined || !settled.has(name)) output.add(table, key, isExpired && !run.oldest ? undefined : value)
      else settled.set(name, value === undefined || isExpired ? undefined : { chunk, key: key.slice(), value: value.slice() })
    })
    for (const row of settled.values()) {
      if (row === undefined) continue
      output.add(output.tableOf(row.chunk), row.key, row.value)
      await output.turn(row.key.length + row.value.length)
    }
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
  private readonly numbers = new Map<string, number>()
  private readonly tables: { readonly table: Table; readonly frames: RowFrames }[] = []
  private sinceTurn = 0

  constructor(
    private readonly into: SegmentWriter,
    private readonly options: CompactionOptions,
  ) {}

  /** The number of a table, the same for the whole pass. */
  tableOf({ uid, table }: Table): number {
    const name = `${uid} ${table}`
    const known = this.numbers.get(name)
    if (known !== undefined) return known
    this.numbers.set(name, this.tables.length)
    return this.tables.push({ table: { uid, table }, frames: new RowFrames(4 * 1024) }) - 1
  }

  add(table: number, key: Uint8Array, value: Uint8Array | undefined): void {
    this.tables[table]?.frames.add(key, value)
  }

  /** Between chunks: writes what has come together, and lets others run. */
  async turn(bytes: number): Promise<void> {
    for (const entry of this.tables) if (entry.frames.byteLength >= chunkBytesTarget) await this.write(entry)
    this.sinceTurn += bytes
    if (this.sinceTurn < chunkBytesTarget) return
    this.sinceTurn = 0
    await this.options.clock.yield()
  }

  async end(): Promise<void> {
    for (const entry of this.tables) await this.write(entry)
  }

  private async write({ table, frames }: { readonly table: Table; readonly frames: RowFrames }): Promise<void> {
    if (frames.rows === 0) return
    const { rows } = frames
    await this.into.add({ ...table, rows, bytes: frames.take() })
  }
}

const latin1 = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
