import { fc } from '@fast-check/vitest'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memory } from '../../backends/memory/memoryStorage.js'
import { json } from '../../lib/codec.js'
import { jobName, operatorUid } from '../../lib/identity.js'
import { type Key, normalKey } from '../../lib/key.js'
import { keyGroupOf } from '../../lib/keyGroup.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { differences, newRows, newTimers, readSavepoint, savepointLines, savepointOfLines, writeSavepoint } from '../../lib/processor/index.js'
import { formatOf } from '../../lib/processor/stateFormat.js'
import { WrittenRows } from '../../lib/processor/writtenRows.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { valueState } from '../../lib/state/valueState.js'
import { unwrap } from '../../lib/task.js'

async function all<A>(from: AsyncIterable<A>): Promise<readonly A[]> {
  const list: A[] = []
  for await (const each of from) list.push(each)
  return list
}
const numbers = valueState(t.number)

/** A storage in which rows were written again and again: values by key, undefined for a deletion, checkpoint by checkpoint. */
async function writtenAgain(rounds: readonly ReadonlyMap<string, number | undefined>[]): Promise<CheckpointStorage> {
  const storage = memory()
  await writeSavepoint(storage, 'job', { states: [newRows('count', 'rows', numbers, [])] })
  const session = await unwrap(storage.open(jobName('job')))
  const latest = await unwrap(session.latest())
  await unwrap(session.takeOver(latest))
  const body = latest._tag === 'Some' ? latest.value.body : null
  for (const [round, rows] of rounds.entries()) {
    const writer = session.begin((round + 2) as never)
    const written = new WrittenRows(
      { uid: 'count', table: 'rows', format: formatOf(numbers, 'count', 'rows'), cell: 0, maxParallelism: 128 },
      (chunk) => unwrap(writer.write(chunk)),
    )
    const deletions = new RowFrames()
    for (const [key, value] of rows) {
      if (value === undefined) deletions.addDeletion(keyGroupOf(key, 128), JSON.stringify(key))
      else written.add({ key, value })
    }
    await written.end()
    if (deletions.rows > 0) await unwrap(writer.write({ uid: operatorUid('count'), table: 'rows', rows: deletions.rows, bytes: deletions.take() }))
    await unwrap(writer.publish(body))
  }
  await session.close()()
  return storage
}

const least = { heldBytesMax: 64 * 1024 }

/** Rounds of changes to many keys, and what is there in the end. */
function manyChanges() {
  const rounds = [0, 1, 2].map((round) => {
    const rows = new Map<string, number | undefined>()
    for (let key = 0; key < 2_400; key += 1)
      if (key % (round + 1) === 0) rows.set(`key ${key}`, key % 7 === 3 && round === 2 ? undefined : key * 10 + round)
    return rows
  })
  const end = new Map<string, number>()
  for (const rows of rounds)
    for (const [key, value] of rows) {
      if (value === undefined) end.delete(key)
      else end.set(key, value)
    }
  return { rounds, end }
}

describe('rows that were written again and again', () => {
  test('are shown once, as they are in the end, also where they do not fit into what is held', async () => {
    const { rounds, end } = manyChanges()
    const storage = await writtenAgain(rounds)
    for (const options of [{}, least]) {
      const reader = await readSavepoint(storage, 'job', options)
      const rows = await all(reader.rows('count', 'rows', numbers))
      expect(rows).toHaveLength(end.size)
      expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(end)
      expect(new Set(await all(reader.keys('count', 'rows')))).toEqual(new Set(end.keys()))
    }
  })

  test('are written once where that is asked for', async () => {
    const { rounds, end } = manyChanges()
    const from = await readSavepoint(await writtenAgain(rounds), 'job', least)
    const target = memory()
    expect(await writeSavepoint(target, 'job', { from, compact: true })).toMatchObject({ rows: end.size })
    const reader = await readSavepoint(target, 'job')
    expect(new Map((await all(reader.rows('count', 'rows', numbers))).map(({ key, value }) => [key, value]))).toEqual(end)
  })

  test('differ where they differ in the end, whatever is held', async () => {
    const { rounds, end } = manyChanges()
    const [first, second] = [await writtenAgain(rounds.slice(0, 2)), await writtenAgain(rounds)]
    const before = new Map([...(rounds[0] ?? []), ...(rounds[1] ?? [])])
    const expected = new Map<unknown, unknown>()
    for (const key of new Set([...before.keys(), ...end.keys()]))
      if (before.get(key) !== end.get(key)) expected.set(key, [before.get(key), end.get(key)])
    expect(expected.size).toBeGreaterThan(300)
    for (const options of [{}, least]) {
      const found = await all(differences(await readSavepoint(first, 'job', options), await readSavepoint(second, 'job', options)))
      expect(found).toHaveLength(expected.size)
      expect(new Map(found.map((each) => [each.key, [each.before?.value, each.after?.value]]))).toEqual(expected)
    }
    expect(await all(differences(await readSavepoint(first, 'job'), await readSavepoint(first, 'job')))).toEqual([])
  })

  test('cannot be compared where keys lie in other groups', async () => {
    const [one, other] = [memory(), memory()]
    await writeSavepoint(one, 'job', { maxParallelism: 128 })
    await writeSavepoint(other, 'job', { maxParallelism: 256 })
    const [before, after] = [await readSavepoint(one, 'job'), await readSavepoint(other, 'job')]
    expect(() => differences(before, after)).toThrow(expect.objectContaining({ code: 'MAX_PARALLELISM_CHANGED' }))
  })
})

const keys: fc.Arbitrary<Key> = fc
  .letrec<{ key: unknown }>((tie) => ({
    key: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.date({ noInvalidDate: true }),
      fc.array(tie('key'), { maxLength: 3 }),
    ),
  }))
  .key.map(normalKey)
const values = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.jsonValue(), fc.date(), fc.bigInt(), fc.uint8Array({ maxLength: 9 }))

describe('the lines of a savepoint', () => {
  test('are its rows, and make it again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ key: keys, value: values }), { selector: ({ key }) => JSON.stringify(savedText(key)), maxLength: 8 }),
        fc.uniqueArray(fc.record({ key: keys, entry: keys, value: values }), { selector: ({ key, entry }) => savedText([key, entry]), maxLength: 8 }),
        async (plain, entries) => {
          const one = memory()
          const any = json<unknown>()
          await writeSavepoint(one, 'job', {
            sources: { in: { at: 7 } },
            states: [
              newRows('op', 'plain', valueState<unknown, typeof any>(any), plain),
              newRows('op', 'map', mapState<Key, unknown, ReturnType<typeof json<Key>>, typeof any>(json<Key>(), any), entries),
              newRows(
                'op',
                'list',
                listState<unknown, typeof any>(any),
                plain.filter(({ value }) => value !== null),
              ),
              newTimers('op', 'event', [{ key: 'a', namespace: 'window', at: 5 }]),
            ],
          })
          const before = await readSavepoint(one, 'job')
          const lines = await all(savepointLines(before))
          for (const line of lines) expect(JSON.stringify(JSON.parse(line))).toBe(line)
          const other = memory()
          const again = JSON.parse(JSON.stringify(lines)) as readonly string[]
          await savepointOfLines(other, iterable(again), 'copy')
          const after = await readSavepoint(other, 'copy')
          expect(after).toMatchObject({ sources: before.sources, operators: before.operators, checkpointId: before.checkpointId })
          expect(await all(differences(before, after))).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
  })

  test('that are none are refused with their number, and nothing is left', async () => {
    const one = memory()
    await writeSavepoint(one, 'job', { states: [newRows('op', 'plain', numbers, [{ key: 'a', value: 1 }])] })
    const [head, row] = (await all(savepointLines(await readSavepoint(one, 'job')))) as [string, string]
    expect(row).toBe('{"uid":"op","state":"plain","key":"a","value":1,"version":1}')
    const wrong: readonly (readonly [readonly string[], number])[] = [
      [[], 1],
      [['{}'], 1],
      [[row], 1],
      [[head, '['], 2],
      [[head, '7'], 2],
      [[head, row, row.replace('"plain"', '"lost"')], 3],
      [[head, row.replace('"key":"a",', '')], 2],
      [[head, row.replace('"a"', '{"$bigint":1}')], 2],
      [[head, row.replace('"value":1,', '')], 2],
      [[head, row.replace('"version":1', '"version":"1"')], 2],
    ]
    for (const [lines, number] of wrong) {
      const target = memory()
      await expect(savepointOfLines(target, iterable(lines)), lines.join('\n')).rejects.toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        details: { line: number },
      })
      await expect(readSavepoint(target, 'job')).rejects.toMatchObject({ code: 'SAVEPOINT_MISSING' })
    }
    await expect(savepointOfLines(memory(), iterable([head.replace('"rxweir":1', '"rxweir":9')]))).rejects.toMatchObject({ code: 'FORMAT_NEWER' })
  })
})

const savedText = (key: unknown): string =>
  JSON.stringify(key, (_name, value: unknown) =>
    typeof value === 'bigint'
      ? `${value}n`
      : Object.is(value, Number.NaN)
        ? 'NaN!'
        : value === Infinity
          ? 'Inf!'
          : value === -Infinity
            ? '-Inf!'
            : value,
  )

async function* iterable<A>(list: readonly A[]): AsyncGenerator<A> {
  yield* list
}
