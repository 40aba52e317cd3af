import fc from 'fast-check'
import { unwrap } from '../lib/task.js'
import { type Law, law } from './law.js'
import { same } from './same.js'
import { type SinkFixture, SinkHistory, sinkSteps } from './sinkHistory.js'

export type { SinkFixture } from './sinkHistory.js'

export interface SinkLawOptions<T> {
  readonly records: fc.Arbitrary<T>
  /** Makes an empty target. */
  make(): Promise<SinkFixture<T>>
}

/**
 * What every transactional sink promises.
 *
 * @example Checking a sink of your own
 * ```ts
 * const make = async () => {
 *   const sink = memorySink<unknown>()
 *   return { sink: () => sink, committed: async () => sink.committed, dispose: async () => {} }
 * }
 * const laws = sinkLaws({ records: fc.jsonValue(), make })
 * for (const law of laws) await law.check({ runs: 10, seed: 1 })
 * laws[0]?.name // => 'uncommitted-invisible'
 * ```
 * @category laws
 * @since 0.1.0
 */
export function sinkLaws<T>({ records, make }: SinkLawOptions<T>): readonly Law[] {
  /** Runs a history and looks after every step. */
  const along = (look: (history: SinkHistory<T>) => Promise<void>) => () =>
    fc.asyncProperty(sinkSteps(records), async (steps) => {
      const history = new SinkHistory(await make())
      try {
        await history.begin()
        await look(history)
        for (const step of steps) {
          await history.take(step)
          await look(history)
        }
      } finally {
        await history.end()
      }
    })
  const visible = async ({ fixture, committed }: SinkHistory<T>): Promise<void> =>
    same(
      await fixture.committed(),
      committed.flatMap(({ values }) => values),
      'what a reader sees',
    )

  return [
    law('uncommitted-invisible', 'a reader sees the committed transactions, whole and in order, and nothing else', along(visible)),
    law(
      'commit-idempotent',
      'committing again what is committed changes nothing, in the same run and in a later one',
      along(async (history) => {
        for (const { handle } of history.committed) await unwrap(history.writer.commit(handle))
        await visible(history)
      }),
    ),
    law(
      'abort-leaves-no-trace',
      'what the next run aborted is gone, cannot be committed and is in nobody’s way',
      along(async (history) => {
        const { aborted, waiting, fixture, writer } = history
        for (const { handle } of aborted) {
          const result = await writer.commit(handle)()
          same(result._tag === 'Left' ? result.left.code : 'committed', 'TRANSACTION_LOST', 'the commit of an aborted transaction')
        }
        if (aborted.length > 0 && waiting.length === 0 && history.isFresh)
          same(await fixture.uncommitted?.(), fixture.uncommitted && [], 'what is left')
        await visible(history)
      }),
    ),
    law('commit-survives-reopen', 'a transaction that waits is committed by a later run, and what is committed stays so', () =>
      fc.asyncProperty(sinkSteps(records), fc.boolean(), async (steps, closed) => {
        const history = new SinkHistory(await make())
        try {
          await history.begin()
          for (const step of steps) await history.take(step)
          await history.take({ kind: 'restart', closed, decided: history.waiting.length })
          await visible(history)
          await history.take({ kind: 'restart', closed, decided: 0 })
          await visible(history)
        } finally {
          await history.end()
        }
      }),
    ),
    law(
      'sink-remembers',
      'the sink itself knows the newest transaction that it has committed',
      along(async ({ writer, committed }) => {
        const newest = committed.at(-1)
        const expected = newest === undefined ? { _tag: 'None' } : { _tag: 'Some', value: { epoch: newest.epoch, checkpointId: newest.checkpointId } }
        same(await unwrap(writer.committedUpTo()), expected, 'what the sink remembers')
      }),
    ),
  ]
}
