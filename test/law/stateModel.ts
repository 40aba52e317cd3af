import fc from 'fast-check'
import * as t from 'io-ts'
import { type Kept, OperatorHarness } from '../../laws/harness/operatorHarness.js'
import { type Law, law } from '../../laws/law.js'
import { same } from '../../laws/same.js'
import { emits, listState, mapState, valueState } from '../../lib/index.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'

/** Something that is done to the states of a key, and whether the operator is restored from a checkpoint behind it. */
interface Command {
  readonly key: 'a' | 'b'
  readonly what: 'update' | 'forget' | 'add' | 'replace' | 'clearList' | 'put' | 'remove' | 'clearMap'
  readonly n: number
  readonly restored: boolean
}

/** Mostly of one key, and enough of them that what is cleared or restored often has something in it. */
const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'a', 'a', 'b'),
    what: fc.constantFrom('update', 'forget', 'add', 'add', 'add', 'replace', 'clearList', 'put', 'put', 'put', 'remove', 'clearMap'),
    n: fc.nat(6),
    restored: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 0),
  }),
  { maxLength: 40, size: 'max' },
)

/** What a program sees of its states. */
type Shown = readonly [value: number | null, list: readonly number[], map: readonly (readonly [number, number])[]]

const sorted = (map: Iterable<readonly [number, number]>): readonly (readonly [number, number])[] => [...map].sort(([a], [b]) => a - b)

const kept = processKeyed(
  'kept',
  { state: { value: valueState(t.number), list: listState(t.number), map: mapState(t.number, t.number) }, emits: emits<Shown>() },
  {
    onRecord({ what, n }: Command, { state: { value, list, map }, emit }) {
      if (what === 'update') value.update(n)
      if (what === 'forget') value.clear()
      if (what === 'add') list.add(n)
      if (what === 'replace') list.update([n, n + 1, n])
      if (what === 'clearList') list.clear()
      if (what === 'put') map.put(n, n * n)
      if (what === 'remove') map.remove(n)
      if (what === 'clearMap') map.clear()
      emit([value.value() ?? null, [...list], sorted(map)])
    },
  },
)

/** The same with what the language has. */
class Model {
  private readonly value = new Map<string, number>()
  private readonly list = new Map<string, readonly number[]>()
  private readonly map = new Map<string, Map<number, number>>()

  apply({ key, what, n }: Command): Shown {
    const map = this.map.get(key) ?? new Map<number, number>()
    this.map.set(key, map)
    const list = this.list.get(key) ?? []
    if (what === 'update') this.value.set(key, n)
    if (what === 'forget') this.value.delete(key)
    this.list.set(key, what === 'add' ? [...list, n] : what === 'replace' ? [n, n + 1, n] : what === 'clearList' ? [] : list)
    if (what === 'put') map.set(n, n * n)
    if (what === 'remove') map.delete(n)
    if (what === 'clearMap') map.clear()
    return [this.value.get(key) ?? null, this.list.get(key) ?? [], sorted(map)]
  }
}

/** Each row once, and the last ones first: what stores rows has an order of its own. */
function inAnyOrder({ metas, chunks }: Kept): Kept {
  const tables = new Map<
    string,
    Map<string, { readonly uid: RowChunk['uid']; readonly table: string; readonly key: Uint8Array; readonly value: Uint8Array | undefined }>
  >()
  for (const { uid, table, bytes } of chunks)
    readRows(bytes, (key, value) => {
      const name = `${uid} ${table}`
      const rows = tables.get(name) ?? new Map()
      tables.set(name, rows)
      rows.set(key.join(), { uid, table, key: key.slice(), value: value?.slice() })
    })
  const other: RowChunk[] = []
  for (const rows of tables.values())
    for (const { uid, table, key, value } of [...rows.values()].reverse()) {
      const frames = new RowFrames(64)
      frames.add(key, value)
      other.push({ uid, table, rows: 1, bytes: frames.take() })
    }
  return { metas, chunks: other }
}

/** States behave as variables, arrays and maps of the language do, whatever is restored in between. */
export const lawsOfStates: readonly Law[] = [
  law('states-are-what-they-say', 'a value, a list and a map behave as those of the language, restores in between or not', () =>
    fc.asyncProperty(commands, async (all) => {
      const harness = new OperatorHarness({ build: ([input]) => kept(keyBy(({ key }: Command) => key)(input as never)) as never, inputs: 1 })
      const model = new Model()
      for (const command of all) {
        harness.record(command, undefined)
        const shown = harness.take().flatMap((output) => (output.kind === 'record' ? [output.value] : []))
        same(shown, [model.apply(command)], `what is seen after ${command.what}`)
        if (command.restored) harness.restore(inAnyOrder(harness.snapshot()))
      }
      harness.close()
    }),
  ),
]
