import * as t from 'io-ts'
import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory } from '../../backends/memory/memoryStorage.js'
import { must } from '../../laws/storageHistory.js'
import { jobName } from '../../lib/identity.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { manualClock, settled } from '../support/manualClock.js'
import { recorded } from './recorded.js'
import { checkpointIn, storageWith, type WholeCheckpoint } from './wholeCheckpoint.js'

/** What a pipeline of plain Observables leaves: a checkpoint, what was noted down behind it, and what comes of both. */
interface Left extends WholeCheckpoint {
  /** The number of the first entry. */
  readonly first: number
  readonly entries: readonly string[]
}
interface Record extends Left {
  readonly after: readonly string[]
}

const job = jobName('hot')

/** The pipeline over three inputs. An error of it is among its results. */
function piped(storage: CheckpointStorage) {
  const clock = manualClock()
  const [hot, more, last] = [new Subject<string>(), new Subject<string>(), new Subject<string>()]
  const results: string[] = []
  const subscription = hot
    .pipe(
      checkpointed('hot', { storage, clock, checkpoints: { intervalMs: 1_000 }, journal: true }, (stream, { input }) =>
        stream.pipe(
          union(input('more', more), input('last', last)),
          keyBy((who) => who),
          statefulMap('count', { state: t.number, initial: 0 }, (count, who: string) => [count + 1, `${JSON.stringify(who)} ${count + 1}`]),
        ),
      ),
    )
    .subscribe({ next: (result) => void results.push(result), error: (error: unknown) => void results.push(`failed: ${error}`) })
  return { clock, hot, more, last, results, unsubscribe: () => subscription.unsubscribe() }
}

/** An input ends; a checkpoint is taken; and what comes then is noted down, before the pipeline is let go of. */
async function left(): Promise<Left> {
  const storage = memory()
  const { clock, hot, more, last, unsubscribe } = piped(storage)
  await settled()
  for (const who of ['ada', 'zoë', 'ada']) hot.next(who)
  more.next('\ud800')
  more.complete()
  await settled()
  await clock.advance(1_000)
  for (const who of ['zoë', 'ada']) hot.next(who)
  last.next('bob')
  last.complete()
  await settled()
  unsubscribe()
  await settled()
  const session = await must(storage.open(job))
  await must(session.takeOver(await must(session.latest())))
  const journal = await must((session.journal as NonNullable<typeof session.journal>)())
  const entries = await must(journal.read(journal.first, 100))
  await session.close()()
  return { ...(await checkpointIn(storage, job)), first: journal.first, entries }
}

async function goneOn({ first, entries, ...checkpoint }: Left): Promise<readonly string[]> {
  const storage = await storageWith(job, checkpoint)
  const session = await must(storage.open(job))
  await must(session.takeOver(await must(session.latest())))
  const journal = await must((session.journal as NonNullable<typeof session.journal>)())
  await must(journal.append([...Array.from({ length: first }, () => 'e gone'), ...entries]))
  await must(journal.trim(first))
  await session.close()()
  const { hot, results } = piped(storage)
  await settled()
  hot.next('ada')
  hot.complete()
  await settled()
  return results
}

const written = async (): Promise<Record> => {
  const before = await left()
  return { ...before, after: await goneOn(before) }
}

describe('what came into a pipeline of plain Observables', () => {
  it('and was noted down by an earlier release comes once, behind what its checkpoint has', async () => {
    const record = await recorded('intake', written)
    expect(record.body).toMatchObject({ sources: { 'checkpointed.intake': { offset: { next: 5, ended: ['more'] } } } })
    expect(await goneOn(record)).toEqual(record.after)
    expect(record.after).toEqual(['"zoë" 2', '"ada" 3', '"bob" 1', '"ada" 4'])
  })

  it('is noted down as ever', async () => {
    expect(JSON.parse(JSON.stringify(await written()))).toEqual(await recorded('intake', written))
  })
})
