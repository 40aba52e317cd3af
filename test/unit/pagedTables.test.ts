import fc from 'fast-check'
import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import { checkpointId, operatorUid } from '../../lib/identity.js'
import type { PagedTables } from '../../lib/paged/pagedTables.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { EntryTable } from '../../lib/state/entryTable.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowCapture } from '../../lib/state/rowStore.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import { unwrap } from '../../lib/task.js'
import { type PagedPlace, pagedPlaces } from '../support/pagedPlaces.js'

const uid = operatorUid('operator')
const scope = { uid, rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }
const codec = stateCodec<number>(json<number>())

/** Three tables as plain Maps: what they have to be equal to. */
class Model {
  readonly rows: Map<string, number>
  readonly map: Map<string, Map<number, number>>
  readonly list: Map<string, number[]>

  constructor(from?: Model) {
    this.rows = new Map(from?.rows)
    this.map = new Map([...(from?.map ?? [])].map(([key, entries]) => [key, new Map(entries)]))
    this.list = new Map([...(from?.list ?? [])].map(([key, elements]) => [key, [...elements]]))
  }

  get text(): string {
    const sorted = <V>(entries: Iterable<readonly [unknown, V]>): unknown => [...entries].map(([key, value]) => [String(key), value]).sort()
    const filled = [...this.list].filter(([, elements]) => elements.length > 0)
    return JSON.stringify([
      sorted(this.rows),
      sorted([...this.map].flatMap(([key, entries]) => [...entries].map(([entry, value]) => [`${key}/${entry}`, value] as const))),
      sorted(filled),
    ])
  }
}

/** One run over the store, driven by hand. */
class Run {
  readonly rows: RowTable<number>
  readonly map: EntryTable<number>
  readonly list: EntryTable<number>
  private readonly all: readonly (RowTable<number> | EntryTable<number>)[]
  private open:
    | { readonly captures: readonly RowCapture[]; readonly model: Model; readonly meta: string; readonly frames: readonly RowFrames[] }
    | undefined

  constructor(
    readonly session: CheckpointSession,
    readonly tables: PagedTables,
  ) {
    this.rows = tables.rows({ table: 'rows', state: 'rows', codec, evictable: true }, scope)
    this.map = tables.entries({ table: 'map', state: 'map', codec, evictable: true }, scope)
    this.list = tables.entries({ table: 'list', state: 'list', codec, evictable: true }, scope)
    this.all = [this.rows, this.map, this.list]
  }

  static async start(place: PagedPlace): Promise<{ readonly run: Run; readonly lastId: number }> {
    const { tables, session } = await place.open()
    const run = new Run(session, tables)
    const latest = await unwrap(session.latest())
    await unwrap(session.takeOver(latest))
    if (O.isSome(latest)) for (const table of run.all) table.restoreMeta((latest.value.body as never)[table.name])
    const inPlace = run.tables.goOnFrom(session, O.toUndefined(latest))
    if (O.isSome(latest)) expect(run.all.every(({ name }) => inPlace(uid, name))).toBe(true)
    return { run, lastId: O.isSome(latest) ? latest.value.checkpointId : 0 }
  }

  get content(): string {
    const found = new Model()
    for (const { key, value } of this.rows.rows()) found.rows.set(String(key), value)
    for (const { key, entry, value } of this.map.rows()) {
      const entries = found.map.get(String(key)) ?? new Map<number, number>()
      if (entries.has(entry as number)) throw new Error('an entry was visited twice')
      found.map.set(String(key), entries.set(entry as number, value))
    }
    for (const key of new Set([...this.list.rows()].map(({ key }) => String(key)))) found.list.set(key, this.elements(key))
    return found.text
  }

  elements(key: string): number[] {
    return [...this.list.entries(key, undefined)].map(({ value }) => value)
  }

  capture(model: Model): void {
    if (this.open !== undefined) return
    const meta = JSON.stringify(Object.fromEntries(this.all.map((table) => [table.name, table.meta()])))
    const captures = this.all.map((table) => table.capture())
    this.open = { captures, meta, model: new Model(model), frames: captures.map(() => new RowFrames()) }
  }

  encode(rows: number): void {
    const { captures, frames } = this.open ?? { captures: [], frames: [] }
    for (const [index, capture] of captures.entries()) capture.encode(frames[index] as RowFrames, rows)
  }

  giveBack(): void {
    for (const capture of this.open?.captures ?? []) capture.giveBack()
    this.open = undefined
  }

  async publish(id: number): Promise<Model | undefined> {
    if (this.open === undefined) return undefined
    const { captures, frames, meta, model } = this.open
    const writer = this.session.begin(checkpointId(id))
    for (const [index, capture] of captures.entries()) {
      const into = frames[index] as RowFrames
      while (capture.encode(into, 2));
      if (into.rows > 0) await unwrap(writer.write({ uid, table: capture.table, rows: into.rows, bytes: into.take() }))
    }
    await unwrap(writer.publish(JSON.parse(meta)))
    for (const capture of captures) capture.release()
    this.open = undefined
    return model
  }

  async end(): Promise<void> {
    await this.session.close()()
    await this.tables.close()()
  }
}

const key = fc.constantFrom('a', 'b', '__proto__', '', 'k'.repeat(3_000), `${'k'.repeat(2_999)}l`)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('row' as const), key, value: fc.option(fc.nat(99)) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('entry' as const), key, entry: fc.nat(12), value: fc.option(fc.nat(99)) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), key, value: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'raise' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('capture' as const, 'encode' as const, 'giveBack' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

describe.each(Object.entries(pagedPlaces))('tables over %s', (_name, makePlace) => {
  it('hold what was written, whatever is in memory and whatever becomes of checkpoints and processes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const place = await makePlace()
        let { run, lastId } = await Run.start(place)
        let model = new Model()
        let durable = new Model()
        for (const each of steps) {
          if (each.kind === 'row') {
            const row = run.rows.get(each.key)
            expect(row?.value).toBe(model.rows.get(each.key))
            expect(Array.from(run.rows.rowsOf(each.key), ({ value }) => value)).toEqual(row === undefined ? [] : [row.value])
            if (each.value === null) {
              if (row !== undefined) run.rows.remove(row)
              model.rows.delete(each.key)
            } else {
              if (row === undefined) run.rows.create(each.key, undefined, each.value)
              else run.rows.write(row, each.value)
              model.rows.set(each.key, each.value)
            }
          } else if (each.kind === 'entry') {
            const row = run.map.get(each.key, undefined, each.entry)
            const entries = model.map.get(each.key) ?? new Map<number, number>()
            model.map.set(each.key, entries)
            expect(Array.from(run.map.rowsOf(each.key), ({ entry, value }) => [entry, value])).toEqual([...entries].sort(([a], [b]) => a - b))
            expect(row?.value).toBe(entries.get(each.entry))
            if (each.value === null) {
              if (row !== undefined) run.map.remove(row)
              entries.delete(each.entry)
            } else {
              if (row === undefined) run.map.create(each.key, undefined, each.entry, each.value)
              else run.map.write(row, each.value)
              entries.set(each.entry, each.value)
            }
            expect(run.map.sizeOf(each.key, undefined)).toBe(entries.size)
          } else if (each.kind === 'append') {
            run.list.create(each.key, undefined, run.list.nextNumber(each.key, undefined), each.value)
            model.list.set(each.key, [...(model.list.get(each.key) ?? []), each.value])
            expect(run.elements(each.key)).toEqual(model.list.get(each.key))
            expect(Array.from(run.list.rowsOf(each.key), ({ value }) => value)).toEqual(model.list.get(each.key))
          } else if (each.kind === 'clear') {
            for (const row of [...run.list.entries(each.key, undefined)]) run.list.remove(row)
            model.list.delete(each.key)
          } else if (each.kind === 'raise') {
            for (const row of run.map.entries(each.key, undefined)) run.map.write(row, row.value + 1)
            const entries = model.map.get(each.key) ?? new Map<number, number>()
            for (const [entry, value] of entries) entries.set(entry, value + 1)
          } else if (each.kind === 'capture') run.capture(model)
          else if (each.kind === 'encode') run.encode(1)
          else if (each.kind === 'giveBack') run.giveBack()
          else if (each.kind === 'publish') {
            run.capture(model)
            lastId += 1
            durable = (await run.publish(lastId)) ?? durable
          } else {
            await run.end()
            ;({ run, lastId } = await Run.start(place))
            model = new Model(durable)
          }
          expect(run.content).toBe(model.text)
          const entries = [...model.map.values()].reduce((sum, { size }) => sum + size, 0)
          const elements = [...model.list.values()].reduce((sum, { length }) => sum + length, 0)
          expect([run.rows.size, run.map.size, run.list.size]).toEqual([model.rows.size, entries, elements])
        }
        await run.end()
        await place.dispose()
      }),
      { numRuns: 10 },
    )
  })
})
