import fc from 'fast-check'
import * as t from 'io-ts'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { jobServer } from '../../backends/jobServer/index.js'
import { lmdb } from '../../backends/lmdb/lmdb.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { type JobOptions, listState, mapState, type StateRow } from '../../lib/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { settled, testJob, type Watched, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Counts words by their first letter, and keeps which and in what order. */
function words(options: Pick<JobOptions, 'storage' | 'state'>, input = memorySource<string>([], { bounded: false }), counted = memorySink<string>()) {
  const { job } = testJob(({ source, sink }) => {
    const keyed = source('words', input).pipe(keyBy((word) => word.slice(0, 1)))
    return [
      keyed.pipe(
        statefulMap('count', { state: t.number, initial: 0 }, (count, word: string) => [word === 'a' ? undefined : count + 1, word]),
        sink('counted', counted),
      ),
      keyed.pipe(
        processKeyed(
          'kept',
          { state: { seen: mapState(t.string, t.number), order: listState(t.string) } },
          {
            onRecord(word: string, { state: { seen, order } }) {
              if (word.length > 2) seen.remove(word.slice(0, 2))
              else seen.put(word, (seen.get(word) ?? 0) + 1)
              if (word.length > 3) order.clear()
              else order.add(word)
            },
          },
        ),
        sink('nothing', memorySink<never>()),
      ),
    ]
  }, options)
  return { job, input }
}

const states = [
  ['count', 'state'],
  ['kept', 'seen'],
  ['kept', 'order'],
] as const

const lines = (rows: Iterable<StateRow>): readonly string[] =>
  Array.from(rows, ({ key, namespace, entry, value }) => JSON.stringify([key, namespace ?? null, entry ?? null, value])).sort()

async function all(rows: AsyncIterable<StateRow>): Promise<readonly StateRow[]> {
  const list: StateRow[] = []
  for await (const row of rows) list.push(row)
  return list
}

const started = (run: Watched) => firstValueFrom(run.events$.pipe(filter(({ kind }) => kind === 'started')))

/** Waits until so many records have been let in. */
async function read(run: Watched, records: number): Promise<void> {
  while (run.metrics().sources[0]?.records !== records) await settled(1)
}

const word = fc.stringMatching(/^[abc][ab]{0,3}$/)

describe('a query as of the newest checkpoint', () => {
  test.each([
    ['memory', 12, async (): Promise<Pick<JobOptions, 'storage' | 'state'>> => ({ storage: memory({ retainedCheckpoints: 1 }) })],
    ['directory', 3, async () => ({ storage: directory(await temporaryDirectory(), { retainedCheckpoints: 1, compactAfterSegments: 2 }) })],
    ['lmdb', 3, async () => lmdb(await temporaryDirectory())],
  ])('finds what a restore of it shows, whatever flows and is completed meanwhile: %s', async (_, runs, make) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(word, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        fc.array(word, { maxLength: 12 }),
        async (rounds, later) => {
          const options = await make()
          const { job, input } = words(options)
          const run = watched(job)
          let pushed = 0
          for (const round of rounds) {
            input.push(...round)
            pushed += round.length
            await read(run, pushed)
            await run.checkpoint()
          }
          const queries = await Promise.all(states.map(([uid, state]) => run.query(uid, state, { as: 'checkpoint' })))
          // Records flow while it is asked, and newer checkpoints are completed in between.
          const asked: (readonly string[])[] = []
          const byKey: (readonly string[])[] = []
          for (const query of queries) {
            input.push(...later)
            await run.checkpoint()
            asked.push(lines(await all(query.rows())))
            byKey.push(lines((await Promise.all(['a', 'b', 'c', 'd'].map((key) => query.get(key)))).flat()))
          }
          expect(new Set(queries.map((query) => query.checkpointId))).toEqual(new Set([rounds.length]))
          for (const query of queries) query.close()
          await run.cancel()

          // The same input up to the checkpoint, and a restore of the one that it ends with.
          const again = await make()
          const same = memorySource(rounds.flat(), { bounded: false })
          const counted = memorySink<string>()
          const before = watched(words(again, same, counted).job)
          await started(before)
          await read(before, pushed)
          await before.checkpoint()
          await before.cancel()
          const restored = watched(words(again, same, counted).job)
          await started(restored)
          expect(restored.of('restored')).toMatchObject([{ checkpointId: 1 }])
          const shown = states.map(([uid, state]) => lines(restored.query(uid, state).rows()))
          await restored.cancel()
          expect(asked).toEqual(shown)
          expect(byKey).toEqual(shown)
        },
      ),
      { numRuns: runs },
    )
  })

  test('has not what came behind it, and a look that is closed lets the checkpoint go', async () => {
    const { job, input } = words({ storage: memory() })
    const run = watched(job)
    await settled()
    await expect(run.query('count', 'state', { as: 'checkpoint' })).rejects.toMatchObject({ code: 'CHECKPOINT_MISSING' })
    await expect(run.query('count', 'other', { as: 'checkpoint' })).rejects.toMatchObject({ code: 'STATE_UNKNOWN' })
    input.push('b', 'bb')
    await settled()
    await run.checkpoint()
    input.push('b')
    await settled()
    const query = await run.query('count', 'state', { as: 'checkpoint' })
    expect(query.checkpointId).toBe(1)
    expect(await query.get('b')).toEqual([{ key: 'b', namespace: undefined, entry: undefined, value: 2 }])
    expect(await query.get('z')).toEqual([])
    expect(run.query('count', 'state', { as: 'live' }).get('b')).toMatchObject([{ value: 3 }])
    query.close()
    query.close()
    await expect(query.get('b')).rejects.toMatchObject({ code: 'BACKEND_NOT_OPEN' })
    await expect(all(query.rows())).rejects.toMatchObject({ code: 'BACKEND_NOT_OPEN' })
    await run.cancel()
  })

  test('does not hold the end of a run up, though nobody reads on', async () => {
    const { job, input } = words({ storage: memory() })
    const run = watched(job)
    await settled()
    input.push(...Array.from({ length: 3_000 }, (_, index) => `b${index}`.slice(0, 2)), 'c')
    await settled()
    await run.checkpoint()
    const query = await run.query('kept', 'order', { as: 'checkpoint' })
    const reading = query.rows()[Symbol.asyncIterator]()
    expect((await reading.next()).done).toBe(false)
    await run.stop()
    await expect(
      (async () => {
        while ((await reading.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'BACKEND_NOT_OPEN' })
    await expect(run.query('kept', 'order', { as: 'checkpoint' })).rejects.toMatchObject({ code: 'CHECKPOINT_CANCELLED' })
  })

  test('two looks and a savepoint hold one checkpoint: it goes with the last of them', async () => {
    const { job, input } = words({ storage: directory(await temporaryDirectory(), { retainedCheckpoints: 1 }) })
    const run = watched(job)
    await run.checkpoint()
    input.push('b')
    await settled()
    await run.checkpoint()
    const [one, other] = [await run.query('count', 'state', { as: 'checkpoint' }), await run.query('count', 'state', { as: 'checkpoint' })]
    one.close()
    input.push('c')
    await settled()
    await run.savepoint(memory())
    await run.checkpoint()
    await settled()
    expect(await all(other.rows())).toMatchObject([{ key: 'b', value: 1 }])
    other.close()
    await run.cancel()
  })

  test('is answered over HTTP, as the description says', async () => {
    const { job, input } = words({ storage: memory() })
    const run = watched(job)
    const server = await jobServer(run, { token: '0123456789abcdef' })
    onTestFinished(async () => {
      await server.close()
      await run.cancel()
    })
    const ask = async (path: string) => {
      const answer = await fetch(`${server.url}${path}`, { headers: { authorization: 'Bearer 0123456789abcdef' } })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }
    expect(await ask('/state/count/state?as=checkpoint')).toMatchObject({ status: 503, body: { code: 'CHECKPOINT_MISSING' } })
    input.push('b', 'c')
    await settled()
    await run.checkpoint()
    input.push('b')
    await settled()
    const b = encodeURIComponent('"b"')
    expect(await ask(`/state/count/state?as=checkpoint&key=${b}`)).toEqual({
      status: 200,
      body: { checkpointId: 1, rows: [{ key: '"b"', value: 1 }] },
    })
    expect(await ask(`/state/count/state?as=live&key=${b}`)).toMatchObject({ body: { size: 2, rows: [{ value: 2 }] } })
    expect((await ask('/state/count/state?as=checkpoint')).body.rows).toHaveLength(2)
    expect((await ask('/state/count/state?as=checkpoint&limit=1')).body.rows).toHaveLength(1)
    expect(await ask('/state/count/state?as=tomorrow')).toMatchObject({ status: 400, body: { code: 'OPTION_INVALID' } })
    expect(await ask('/state/count/nothing?as=checkpoint')).toMatchObject({ status: 404, body: { code: 'STATE_UNKNOWN' } })
    expect(JSON.stringify((await ask('/openapi.json')).body)).toContain('"enum":["live","checkpoint"]')
  })
})
