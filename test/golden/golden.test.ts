import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { count, runCase, runDirectory } from './driver.js'
import { type Case, plainValue, readCases, recordTime, watermarkTime } from './model.js'
import { mutantsOf } from './mutants.js'

const valve = (expected: Case['expected'], more: Partial<Case> = {}): Case => ({
  id: 'test',
  feature: 'watermark-valve',
  config: { channels: 2 },
  input: [
    { op: 'watermark', channel: 0, ts: 5 },
    { op: 'watermark', channel: 1, ts: 7 },
  ],
  expected,
  order: 'exact',
  ...more,
})

describe('The golden driver', () => {
  it('passes every case of our own', async () => {
    const files = await runDirectory(fileURLToPath(new URL('cases', import.meta.url)))
    expect(files.map(({ file }) => file)).toEqual(['checkpoints.json', 'operators.json', 'rescaling.json', 'state.json'])
    for (const { outcomes } of files) for (const outcome of outcomes) expect(outcome).toEqual({ id: outcome.id, result: 'passed' })
  })

  it('notices whatever is altered in what a case of our own expects', async () => {
    const directory = fileURLToPath(new URL('cases', import.meta.url))
    const unnoticed: string[] = []
    for (const file of readdirSync(directory)) {
      for (const golden of readCases(join(directory, file))) {
        const mutants = mutantsOf(golden)
        expect(mutants.length, golden.id).toBeGreaterThan(0)
        for (const { change, golden: mutant } of mutants) if ((await runCase(mutant)).result === 'passed') unnoticed.push(`${golden.id}: ${change}`)
      }
    }
    expect(unnoticed).toEqual([])
  })

  it('passes what is owed and nothing else', async () => {
    expect(await runCase(valve([{ after: 1, kind: 'watermark', ts: 5 }]))).toEqual({ id: 'test', result: 'passed' })
    for (const wrong of [
      [],
      [{ after: 0, kind: 'watermark', ts: 5 }],
      [{ after: 1, kind: 'watermark', ts: 6 }],
      [{ after: 1, kind: 'status', value: 'idle' }],
    ])
      expect((await runCase(valve(wrong))).result).toBe('failed')
  })

  it('tells a wrong answer to what a case asks', async () => {
    const asking = (watermark: number): Case =>
      valve([
        { after: 1, kind: 'watermark', ts: 5 },
        { after: 1, kind: 'assert', channel: 1, watermark },
      ])
    expect((await runCase(asking(7))).result).toBe('passed')
    expect((await runCase(asking(8))).reason).toContain('expected {"watermark":8}')
  })

  it('says that it does not know a feature, an operation or a function', async () => {
    expect(await runCase(valve([], { feature: 'levitation' }))).toEqual({
      id: 'test',
      result: 'unsupported',
      reason: 'unknown feature: "levitation"',
    })
    expect((await runCase(valve([], { input: [{ op: 'explode' }] }))).reason).toBe('unknown operation of a valve: "explode"')
    const guess = { operator: 'keyedProcess', keyBy: 'value', fn: { doc: 'onElement: do what is right' } }
    expect((await runCase(valve([], { feature: 'process-function', config: guess, input: [] }))).reason).toBe(
      'unknown function: "onElement: do what is right"',
    )
  })

  it('compares records of a step as a multiset only where their order is not owed, and never across a watermark', async () => {
    const config = { keyBy: 'value[0]', assigner: { type: 'tumbling', size: 10 }, trigger: { type: 'eventTime' }, state: 'list', fn: 'passThrough' }
    const input = [
      { op: 'element', value: ['a', 1], ts: 1 },
      { op: 'element', value: ['a', 2], ts: 1 },
      { op: 'watermark', ts: 9 },
    ]
    const [first, second, mark] = [
      { after: 2, kind: 'record', value: ['a', 1], ts: 9 },
      { after: 2, kind: 'record', value: ['a', 2], ts: 9 },
      { after: 2, kind: 'watermark', ts: 9 },
    ] as const
    const result = async (expected: Case['expected'], order: string): Promise<string> =>
      (await runCase(valve(expected, { feature: 'window-operator', config, input, order }))).result
    expect(await result([second, first, mark], 'any-within-step')).toBe('passed')
    expect(await result([second, first, mark], 'exact')).toBe('failed')
    expect(await result([first, mark, second], 'any-within-step')).toBe('failed')
    expect(await result([first, first, mark], 'any-within-step')).toBe('failed')
  })

  it('reads the ends of time, and times near them, as numbers that are whole', () => {
    expect(recordTime('MAX_LONG')).toBe(Number.MAX_SAFE_INTEGER)
    expect(watermarkTime('MAX_LONG')).toBe(Number.POSITIVE_INFINITY)
    const near = recordTime({ bigint: '9223372036854774999' }) as number
    expect(near % 1_000).toBe(999)
    expect(Number.MAX_SAFE_INTEGER - near).toBeLessThan(1_808)
    expect(plainValue(['MIN_LONG', { bigint: '12' }])).toEqual([Number.MIN_SAFE_INTEGER, 12])
  })

  it('counts by result', () => {
    expect(
      count([
        { id: 'a', result: 'passed' },
        { id: 'b', result: 'failed' },
        { id: 'c', result: 'passed' },
      ]),
    ).toBe('2 passed, 1 failed, 0 unsupported')
  })
})
