import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../../backends/memory/index.js'
import { zipWith } from '../../../operators/durable/zipWith.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import type { FedStream } from '../../support/handFed.js'
import { ran, testJob } from '../../support/jobs.js'
import { checkpointOf, joined } from '../../support/joined.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: (source) =>
    of(1, 2, 3).pipe(
      records(),
      zipWith('pairs', source, (n, value) => `${value}${n}`),
    ),
  one: ['a', ['a1']],
  many: [
    ['a', 'b'],
    ['a1', 'b2'],
  ],
  throwing: (error) => (source) =>
    of(1).pipe(
      records(),
      zipWith('pairs', source, () => {
        throw error
      }),
    ),
  inside: false,
})

const pairs = (first: FedStream, other: FedStream) => zipWith('pairs', other)(first)

describe('zipWith', () => {
  test('what waits for a partner survives, in its order', () => {
    const before = joined(pairs)
    before.inputs[0]?.record('a', 1).record('b', 2)
    const { inputs, out } = joined(pairs, { from: checkpointOf(before) })
    inputs[1]?.record('x', 9).record('y')
    inputs[0]?.record('c', 3)
    inputs[1]?.record('z', 1)
    expect(out.records).toEqual([
      { value: ['a', 'x'], timestamp: 9, key: undefined },
      { value: ['b', 'y'], timestamp: undefined, key: undefined },
      { value: ['c', 'z'], timestamp: 3, key: undefined },
    ])
  })

  test('values meet whose keys are the same', () => {
    const { inputs, out } = joined(pairs, { keyed: true })
    inputs[0]?.record('a1', 1, 'a').record('b1', 2, 'b')
    inputs[1]?.record('b2', 3, 'b').record('a2', 4, 'a')
    expect(out.records.map(({ value, key }) => [value, key])).toEqual([
      [['b1', 'b2'], 'b'],
      [['a1', 'a2'], 'a'],
    ])
  })

  test('several others, and a projection', () => {
    const { inputs, out } = joined((first, ...others) => zipWith('triples', others, {}, (...all: string[]) => all.join('-'))(first), { inputs: 3 })
    inputs[2]?.record('x')
    inputs[0]?.record('a')
    inputs[1]?.record('m')
    expect(out.seen).toEqual(['a-m-x'])
  })

  test('ends as soon as one side has no partner left, and a restored run ends at once', () => {
    const before = joined(pairs)
    before.inputs[0]?.record('a').record('b').end()
    before.inputs[1]?.record('x').barrier(1)
    expect(before.out.seen).toEqual([['a', 'x']])
    before.inputs[0]?.barrier(1)
    before.run.complete(1)
    before.inputs[1]?.record('y').record('z')
    expect(before.out.seen).toEqual([['a', 'x'], '#1', ['b', 'y'], 'wInfinity', 'end'])
    before.inputs[0]?.barrier(2)
    before.inputs[1]?.barrier(2)
    expect(before.out.seen.at(-1)).toBe('#2')
    const { inputs, out } = joined(pairs, { from: before.run.complete(2) })
    expect(out.seen).toEqual(['wInfinity', 'end'])
    inputs[1]?.record('more')
    inputs[0]?.end()
    inputs[1]?.end().complete()
    expect(out.seen).toEqual(['wInfinity', 'end'])
  })

  test('with keys, what cannot have a partner any more is forgotten', () => {
    const { inputs, out, run } = joined(pairs, { keyed: true })
    inputs[0]?.record('a1', 1, 'a')
    inputs[1]?.record('b1', 2, 'b')
    inputs[0]?.end()
    inputs[1]?.record('c1', 3, 'c').barrier(1)
    inputs[0]?.barrier(1)
    expect(run.acknowledged[0]?.snapshot.tables.map(({ table, rows }) => [table, rows])).toEqual([
      ['queue0', 1],
      ['queue1', 0],
    ])
    const restored = joined(pairs, { keyed: true, from: run.complete(1) })
    restored.inputs[1]?.record('b2', 4, 'b').record('a2', 5, 'a')
    restored.inputs[0]?.end()
    expect(restored.out.seen).toEqual([['a1', 'a2'], 'wInfinity', 'end'])
    expect(out.ending).toBeUndefined()
  })

  test('a drained input has not ended: the other one may still bring partners in a later run', () => {
    const before = joined(pairs)
    before.inputs[0]?.end(true)
    before.inputs[1]?.record('x').end(true)
    expect(before.out.seen).toEqual(['wInfinity', 'drained'])
    const { inputs, out } = joined(pairs, { from: checkpointOf(before) })
    inputs[0]?.record('a')
    expect(out.seen).toEqual([['a', 'x']])
  })

  test('a side that is too far ahead ends the run, and nothing is lost', () => {
    const { inputs, run } = joined((first, other) => zipWith('pairs', other, { queuedValuesMax: 2 })(first))
    inputs[0]?.records('a', 'b')
    expect(run.failures).toEqual([])
    inputs[0]?.record('c')
    expect(run.failures).toMatchObject([{ code: 'ZIP_QUEUE_FULL', details: { uid: 'pairs', input: 0, queuedValuesMax: 2 } }])
  })

  test('streams with keys and streams without do not meet', () => {
    const { inputs, run } = joined(pairs)
    inputs[0]?.record('a', 1, 'key')
    expect(run.failures).toMatchObject([{ code: 'STREAM_NOT_KEYED', details: { uid: 'pairs' } }])
  })

  test('a job ends with the shorter side, however long the other one goes on', async () => {
    const out = memorySink<[string, number]>()
    const { job } = testJob(
      ({ source, sink }) => {
        const endless = source('endless', memorySource([1, 2, 3], { bounded: false })).pipe(keyBy(() => 'all'))
        return source('words', memorySource(['a', 'b'])).pipe(
          keyBy(() => 'all'),
          zipWith('pairs', endless),
          sink('out', out),
        )
      },
      { storage: memory() },
    )
    await ran(job)
    expect(out.committed).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    await ran(job)
    expect(out.committed).toHaveLength(2)
  })

  test('values are read back by their codecs', () => {
    const before = joined((first, other) => zipWith('pairs', other, { values: [t.unknown, t.number] })(first))
    before.inputs[1]?.record(7)
    const from = checkpointOf(before)
    const changed = (first: FedStream, other: FedStream) => zipWith('pairs', other, { values: [t.unknown, t.string] })(first)
    expect(() => joined(changed, { from })).toThrow(expect.objectContaining({ code: 'CODEC_MISMATCH' }))
  })

  test('options are checked when the operator is made', () => {
    expect(() => zipWith('', of(1).pipe(records()))).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(() => zipWith('pairs', of(1).pipe(records()), { queuedValuesMax: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
