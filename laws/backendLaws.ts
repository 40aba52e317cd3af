import fc from 'fast-check'
import { either } from 'fp-ts'
import { json, stateCodec } from '../lib/codec.js'
import { type JobName, jobName, type OperatorUid } from '../lib/identity.js'
import type { RowChunk } from '../lib/ports/checkpointStorage.js'
import type { StateBackend, StateTables } from '../lib/ports/stateBackend.js'
import type { EntryTable } from '../lib/state/entryTable.js'
import { RowFrames } from '../lib/state/rowFrames.js'
import type { RowCapture } from '../lib/state/rowStore.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { type Law, law } from './law.js'

/** What is done to a table between two looks at it. */
type Step =
  | { readonly kind: 'put'; readonly key: string; readonly entry: number; readonly value: number }
  | { readonly kind: 'remove'; readonly key: string; readonly entry: number }
  | { readonly kind: 'capture' }
  | { readonly kind: 'encode' }
  | { readonly kind: 'release' }
  | { readonly kind: 'giveBack' }

const key = fc.constantFrom('a', 'b', '__proto__', '')
const entry = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('put' as const), key, entry, value: fc.nat(99) }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('remove' as const), key, entry }), weight: 2 },
  { arbitrary: fc.constantFrom<Step>({ kind: 'capture' }, { kind: 'encode' }, { kind: 'release' }, { kind: 'giveBack' }), weight: 3 },
)
const history = shortOrLong(step, { maxLength: 60 })

/** A table as a plain Map: what it has to be equal to. */
type Model = Map<string, number>

const name = (job: string): JobName => jobName(job)
const uid = 'operator' as OperatorUid

async function tablesOf(backend: StateBackend): Promise<StateTables> {
  const opened = await backend.open(name('law'), { askCheckpoint() {}, pause: () => () => {} })()
  if (either.isLeft(opened)) throw opened.left
  return opened.right
}

const tableOf = (tables: StateTables, table = 'table'): EntryTable<number> =>
  tables.entries(
    { table, state: 'state', codec: stateCodec<number>(json<number>()) },
    { uid, rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true },
  )

const content = (table: EntryTable<number>): Model => new Map([...table.rows()].map((row) => [`${String(row.key)}/${String(row.entry)}`, row.value]))

function change(table: EntryTable<number>, model: Model, changed: Step & { readonly kind: 'put' | 'remove' }): void {
  const row = table.get(changed.key, undefined, changed.entry)
  const at = `${changed.key}/${changed.entry}`
  if (changed.kind === 'remove') {
    model.delete(at)
    if (row !== undefined) table.remove(row)
  } else {
    model.set(at, changed.value)
    if (row === undefined) table.create(changed.key, undefined, changed.entry, changed.value)
    else table.write(row, changed.value)
  }
}

const same = (found: Model, expected: Model, what: string): void => {
  const text = (model: Model): string => JSON.stringify([...model].sort())
  if (text(found) !== text(expected)) throw new Error(`${what}: found ${text(found)}, expected ${text(expected)}`)
}

interface OpenCapture {
  readonly capture: RowCapture
  readonly frames: RowFrames
  readonly model: Model
  done: boolean
}

/** Takes the checkpoints of a table as a run does, several at a time where that is possible, and remembers what each captured. */
class Captures {
  readonly chunks: RowChunk[] = []
  /** Oldest first. */
  private readonly open: OpenCapture[] = []
  private turn = 0
  /** What the released captures, together, have to restore to. */
  durable: Model = new Map()

  constructor(
    private readonly table: EntryTable<number>,
    private readonly model: Model,
    private readonly most: number,
  ) {}

  take(kind: Step['kind']): void {
    if (kind === 'capture' && this.open.length < this.most)
      this.open.push({ capture: this.table.capture(), frames: new RowFrames(), model: new Map(this.model), done: false })
    else if (kind === 'encode') this.encode(this.next(), 1)
    else if (kind === 'release') this.release()
    // Whoever gives one back gives back those that were taken later, too.
    else if (kind === 'giveBack') for (const { capture } of this.open.splice(this.turn % Math.max(1, this.open.length)).reverse()) capture.giveBack()
  }

  release(): void {
    const oldest = this.open.shift()
    if (oldest === undefined) return
    while (!oldest.done) this.encode(oldest, 2)
    const { capture, frames, model } = oldest
    this.chunks.push({ uid, table: capture.table, rows: frames.rows, bytes: frames.take() })
    capture.release()
    this.durable = model
  }

  giveAllBack(): void {
    for (const { capture } of this.open.splice(0).reverse()) capture.giveBack()
  }

  /** They are encoded in turns. */
  private next(): OpenCapture | undefined {
    this.turn += 1
    return this.open[this.turn % this.open.length]
  }

  private encode(open: OpenCapture | undefined, rows: number): void {
    if (open !== undefined && !open.done) open.done = !open.capture.encode(open.frames, rows)
  }
}

function played(
  tables: StateTables,
  steps: readonly Step[],
  { manifest }: StateBackend,
): { readonly table: EntryTable<number>; readonly model: Model; readonly captures: Captures } {
  const table = tableOf(tables)
  const model: Model = new Map()
  const captures = new Captures(table, model, manifest.concurrentCaptures === true ? 3 : 1)
  for (const each of steps) {
    if (each.kind === 'put' || each.kind === 'remove') change(table, model, each)
    else captures.take(each.kind)
    same(content(table), model, 'live rows')
  }
  return { table, model, captures }
}

/** A new run's table, restored from what was captured. */
async function restored(backend: StateBackend, from: EntryTable<number>, chunks: readonly RowChunk[]): Promise<Model> {
  const tables = await tablesOf(backend)
  const table = tableOf(tables)
  table.restoreMeta(from.meta())
  for (const chunk of chunks) table.restore(chunk)
  const found = content(table)
  await tables.close()()
  return found
}

/**
 * What holds for every state backend: hand it a function that makes one.
 *
 * @example The heap keeps its laws
 * ```ts
 * for (const law of backendLaws(heap)) await law.check({ runs: 5 })
 * backendLaws(heap).length // => 4
 * ```
 * @category laws
 * @since 0.2.0
 */
export function backendLaws(make: () => StateBackend): readonly Law[] {
  const withTables = (check: (backend: StateBackend, steps: readonly Step[], tables: StateTables) => Promise<void>) => () =>
    fc.asyncProperty(history, async (steps) => {
      const backend = make()
      const tables = await tablesOf(backend)
      await check(backend, steps, tables)
      await tables.close()()
    })
  return [
    law(
      'read-your-writes',
      'a table shows what was written last, with captures open or not',
      withTables(async (backend, steps, tables) => {
        played(tables, steps, backend)
      }),
    ),
    law(
      'capture-isolation',
      'what a capture stores is the state at its barrier, whatever is written before it is encoded',
      withTables(async (backend, steps, tables) => {
        const { table, captures } = played(tables, steps, backend)
        same(await restored(backend, table, captures.chunks), captures.durable, 'restored from what was released')
      }),
    ),
    law(
      'given-back-is-kept',
      'the changes of a capture that was given back are part of the next one',
      withTables(async (backend, steps, tables) => {
        const { table, model, captures } = played(tables, steps, backend)
        for (const kind of ['capture', 'encode'] as const) captures.take(kind)
        captures.giveAllBack()
        for (const kind of ['capture', 'release'] as const) captures.take(kind)
        same(await restored(backend, table, captures.chunks), model, 'restored after a checkpoint that was given back')
      }),
    ),
    law(
      'table-isolation',
      'one table, and one run, never sees the rows of another',
      withTables(async (backend, steps, tables) => {
        const other = tableOf(tables, 'other')
        played(tables, steps, backend)
        same(content(other), new Map(), 'another table')
        const next = await tablesOf(backend)
        same(content(tableOf(next)), new Map(), 'the next run')
        await next.close()()
      }),
    ),
  ]
}
