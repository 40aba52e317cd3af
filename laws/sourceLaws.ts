import fc from 'fast-check'
import { RestoreError } from '../lib/errors.js'
import { operatorUid } from '../lib/identity.js'
import type { ReplayableSource, SourceContext, SourceOffset } from '../lib/ports/replayableSource.js'
import { unwrap } from '../lib/task.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { eagerClock } from './eagerClock.js'
import { type Law, law } from './law.js'
import { same } from './same.js'

/** A source over known records, in the hands of a law. */
export interface SourceFixture<T> {
  readonly source: ReplayableSource<T>
  /** Takes the records away, as a retention or a truncation does: nothing that was read can be read again. */
  lose(): Promise<void>
  dispose(): Promise<void>
}

export interface SourceLawOptions<T> {
  readonly records: fc.Arbitrary<T>
  /** Makes a bounded source that yields exactly these. */
  make(records: readonly T[]): Promise<SourceFixture<T>>
}

interface Reading<T> {
  readonly start: SourceOffset
  readonly values: readonly T[]
  /** The offset behind each record, as it comes back from a checkpoint. */
  readonly offsets: readonly SourceOffset[]
}

const stored = (offset: SourceOffset): SourceOffset => JSON.parse(JSON.stringify(offset)) as SourceOffset

const contextFrom = (from: SourceOffset | undefined): SourceContext => ({
  uid: operatorUid('source'),
  from: from === undefined ? { _tag: 'None' } : { _tag: 'Some', value: from },
  clock: eagerClock(),
})

async function readFrom<T>(source: ReplayableSource<T>, from: SourceOffset | undefined, recordsMax: number): Promise<Reading<T>> {
  const reader = await unwrap(source.open(contextFrom(from)))
  const values: T[] = []
  const offsets: SourceOffset[] = []
  try {
    for (;;) {
      const read = await unwrap(reader.read(recordsMax))
      if (read.kind === 'end') return { start: reader.start, values, offsets }
      const count = read.batch.values.length
      if (count < 1 || count > recordsMax) throw new Error(`a read of at most ${recordsMax} records answered ${count}`)
      for (const [index, value] of read.batch.values.entries()) {
        values.push(value)
        offsets.push(stored(read.batch.offsetAfter(index)))
      }
    }
  } finally {
    await reader.close()()
  }
}

/**
 * What every replayable source promises.
 *
 * @example Checking a source of your own
 * ```ts
 * const make = async (records: readonly unknown[]) => {
 *   const source = memorySource(records)
 *   return { source, lose: async () => source.discardBefore(records.length), dispose: async () => {} }
 * }
 * const laws = sourceLaws({ records: fc.jsonValue(), make })
 * for (const law of laws) await law.check({ runs: 10, seed: 1 })
 * laws[0]?.name // => 'replay-equivalence'
 * ```
 * @category laws
 * @since 0.1.0
 */
export function sourceLaws<T>({ records, make }: SourceLawOptions<T>): readonly Law[] {
  const batch = fc.integer({ min: 1, max: 7 })
  const withSource =
    (
      minLength: number,
      check: (fixture: SourceFixture<T>, records: readonly T[], batches: readonly [number, number], nat: number) => Promise<void>,
    ) =>
    () =>
      fc.asyncProperty(shortOrLong(records, { minLength, maxLength: 20 }), fc.tuple(batch, batch), fc.nat(), async (all, batches, nat) => {
        const fixture = await make(all)
        try {
          await check(fixture, all, batches, nat)
        } finally {
          await fixture.dispose()
        }
      })

  return [
    law(
      'replay-equivalence',
      'reading again yields the same records in the same order, however many are asked for at once',
      withSource(0, async ({ source }, all, [first, second]) => {
        same((await readFrom(source, undefined, first)).values, all, 'the first reading')
        same((await readFrom(source, undefined, second)).values, all, 'the second reading')
        const { start } = await readFrom(source, undefined, first)
        same((await readFrom(source, stored(start), second)).values, all, 'the reading from the start')
      }),
    ),
    law(
      'offset-monotone',
      'no offset comes twice, and each depends on its record alone',
      withSource(0, async ({ source }, _, [first, second]) => {
        const { start, offsets } = await readFrom(source, undefined, first)
        const seen = new Set([start, ...offsets].map((offset) => fc.stringify(offset)))
        same(seen.size, offsets.length + 1, 'different offsets')
        same((await readFrom(source, undefined, second)).offsets, offsets, 'the offsets of another reading')
      }),
    ),
    law(
      'every-offset-resumes',
      'reading from the offset behind a record yields the record after it first',
      withSource(1, async ({ source }, all, [first, second], nat) => {
        const index = nat % all.length
        const { offsets } = await readFrom(source, undefined, first)
        const resumed = await readFrom(source, offsets[index], second)
        same(resumed.values, all.slice(index + 1), `the records behind number ${index}`)
        same(stored(resumed.start), offsets[index], 'the start of the resumed reading')
        same(resumed.offsets, offsets.slice(index + 1), 'their offsets')
      }),
    ),
    law(
      'gone-is-an-error',
      'an offset whose next record is gone is an error with a code, never a wait and never a silent start over',
      withSource(2, async ({ source, lose }, all, [first], nat) => {
        const index = nat % (all.length - 1)
        const { offsets } = await readFrom(source, undefined, first)
        await lose()
        const opened = await source.open(contextFrom(offsets[index]))()
        if (opened._tag === 'Right') {
          await opened.right.close()()
          throw new Error(`the offset ${fc.stringify(offsets[index])} was accepted although its data is gone`)
        }
        const { left } = opened
        if (!(left instanceof RestoreError && (left.code === 'SOURCE_OFFSET_GONE' || left.code === 'SOURCE_OFFSET_AHEAD')))
          throw new Error(`expected SOURCE_OFFSET_GONE or SOURCE_OFFSET_AHEAD, found ${left.code}`, { cause: left })
      }),
    ),
  ]
}
