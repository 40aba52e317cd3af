import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { JobScope } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import { asyncMap } from '../../operators/asyncMap.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])

/** Asks of each word, and counts it, the one before the other. */
const asking = (answers: () => boolean, { first, ...options }: Partial<Omit<JobOptions, 'clock'>> & { readonly first: 'asked' | 'keyed' }) => {
  const out = memorySink<string>()
  const ask = asyncMap('ask', { order: 'free', capacity: 100, timeoutMs: Number.POSITIVE_INFINITY }, (word: string) =>
    answers() ? Promise.resolve(word) : new Promise<string>(() => {}),
  )
  const byWord = keyBy((word: string) => word)
  const build = ({ source, sink }: JobScope) => {
    const input = source('words', memorySource(words, { bounded: options.restore !== undefined }))
    return (first === 'asked' ? input.pipe(ask, byWord, count) : input.pipe(byWord, ask, count)).pipe(sink('out', out))
  }
  return { out, job: testJob(build, options).job }
}

/** Two instances, stopped behind all words: the second has its answers, the first has none. */
async function two(first: 'asked' | 'keyed') {
  const savepoints: JobOptions['storage'][] = []
  const committed: string[] = []
  for (const index of [0, 1]) {
    const { job, out } = asking(() => index === 1, { first, instance: { index, of: 2 }, storage: memory() })
    const savepoint = memory()
    const run = watched(job)
    // The answers come while the last word is waited for.
    await settled()
    await run.stop({ savepoint, at: (_uid, offset) => offset === words.length })
    savepoints.push(savepoint)
    committed.push(...out.committed)
  }
  return { savepoints, committed }
}

describe('calls in flight', () => {
  test('behind the keys go to the instances that have their keys, each to one', async () => {
    const { savepoints, committed } = await two('keyed')
    for (const index of [0, 1, 2]) {
      const { job, out } = asking(() => true, { first: 'keyed', instance: { index, of: 3 }, storage: memory(), restore: { from: savepoints } })
      await ran(job)
      committed.push(...out.committed)
    }
    expect(committed.sort()).toEqual(words.map((word) => `${word} 1`))
  })

  test('of one instance are cut as well', async () => {
    const savepoint = memory()
    const alone = asking(() => false, { first: 'keyed', storage: memory() })
    await watched(alone.job).stop({ savepoint, at: (_uid, offset) => offset === words.length })
    const committed: string[] = []
    for (const index of [0, 1]) {
      const { job, out } = asking(() => true, { first: 'keyed', instance: { index, of: 2 }, storage: memory(), restore: { from: savepoint } })
      await ran(job)
      committed.push(...out.committed)
    }
    expect(committed.sort()).toEqual(words.map((word) => `${word} 1`))
  })

  test('before the keys are refused where an answer has come to one instance and not to another', async () => {
    const { savepoints } = await two('asked')
    const { job } = asking(() => true, { first: 'asked', storage: memory(), restore: { from: savepoints } })
    expect(await failed(job)).toMatchObject({ code: 'STATE_NOT_SPLIT', details: { uid: 'ask' } })
  })
})
