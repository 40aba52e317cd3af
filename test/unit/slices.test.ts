import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memory } from '../../backends/memory/index.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { type Clock, systemClock } from '../../lib/clock.js'
import { emits } from '../../lib/emits.js'
import { defineJob } from '../../lib/job.js'
import type { Key } from '../../lib/key.js'
import { valueState } from '../../lib/state/valueState.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { countRecords } from '../../lib/window/aggregate.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'

type Event = readonly [key: number, at: number]

type JobOptions = Parameters<typeof defineJob>[1]

/** Many keys whose timers are due together, three times over. */
const rounds = (keys: number): readonly Event[] =>
  [0, 1, 2].flatMap((round) => Array.from({ length: keys }, (_, key): Event => [key, round * 1_000 + (key % 50)]))

const timed = assignTimestamps<Event>({ timestamp: ([, at]) => at, watermarks: monotonousTimestamps() })

/** Announces each record, and a moment at which all announcements of a round are due. */
const announced = processKeyed(
  'announced',
  { state: { seen: valueState(t.number, { initial: 0 }) }, emits: emits<string>() },
  {
    onRecord([key, at]: Event, { state, timers, emit }) {
      state.seen.update(state.seen.value() + 1)
      timers.eventTime(Math.floor(at / 1_000) * 1_000 + 900)
      emit(`${key} at ${at}`)
    },
    onTimer(at, { key, state, emit }) {
      emit(`${String(key)} due ${at} after ${state.seen.value()}`)
    },
  },
)

/** A clock that notes when others had their turn, and what had been emitted by then. */
function watched(): { clock: Clock; yields: number } {
  const made = { yields: 0, clock: {} as Clock }
  made.clock = {
    ...systemClock,
    yield: () => {
      made.yields += 1
      return systemClock.yield()
    },
  }
  return made
}

async function committed(events: readonly Event[], pacing: JobOptions['pacing'], options: Partial<JobOptions> = {}): Promise<readonly unknown[]> {
  const out = memorySink<unknown>()
  const job = defineJob('sliced', { storage: memory(), ...options, pacing: pacing ?? {} }, ({ source, sink }) => {
    const byKey = source('events', memorySource(events)).pipe(
      timed,
      keyBy(([key]): Key => key),
    )
    const everySecond = byKey.pipe(announced)
    // Further down stands another operator that has as much to do at the same moments.
    const counted = everySecond.pipe(
      keyBy((text): Key => text.split(' ')[0] as string),
      window('counted', {
        assigner: tumbling({ sizeMs: 100 }),
        aggregate: countRecords(),
        result: (count, { key, start }) => `${key} ${start} has ${count}`,
      }),
    )
    const sliced = byKey.pipe(
      flatMapValues((event) => [event, event]),
      keyBy(([key]): Key => `s${key}`),
      window('overlapping', {
        assigner: sliding({ sizeMs: 200, slideMs: 100 }),
        aggregate: countRecords(),
        result: (count, { key, start }) => `${key} ${start} overlaps ${count}`,
      }),
    )
    return everySecond.pipe(union(counted as never, sliced as never), sink('out', out))
  })
  await job.run().done
  return out.committed
}

const ofKey = (all: readonly unknown[], key: string): readonly unknown[] => all.filter((text) => String(text).split(' ')[0] === key)

describe('long work in slices', () => {
  test('gives others their turn in between, and lets nothing overtake', async () => {
    const events = rounds(500)
    const { clock } = watched()
    const whole = await committed(events, {}, { clock })
    for (const stepsPerSlice of [1, 7, 400]) {
      const some = watched()
      const pieces = await committed(events, { stepsPerSlice: () => stepsPerSlice }, { clock: some.clock })
      expect(some.yields).toBeGreaterThan(4_000 / stepsPerSlice)
      expect([...pieces].sort()).toEqual([...whole].sort())
      for (const key of ['0', '7', 's7', '499']) expect(ofKey(pieces, key).filter(isDue)).toEqual(ofKey(whole, key).filter(isDue))
    }
  })

  test('lets a checkpoint wait until it is done', async () => {
    const store = memory({ retainedCheckpoints: 100 })
    const out = await committed(rounds(300), { stepsPerSlice: () => 5 }, { storage: store, checkpoints: { intervalMs: 1 } })
    expect([...out].sort()).toEqual([...(await committed(rounds(300), {}))].sort())
  })

  test('goes on at once where more waits at the entry than it may hold', async () => {
    const flood = async (pacing: JobOptions['pacing']): Promise<readonly unknown[]> => {
      const out = memorySink<unknown>()
      const job = defineJob('flooded', { storage: memory(), pacing: pacing ?? {}, limits: { entryQueueMax: 10 } }, ({ source, sink }) =>
        source('events', memorySource(rounds(100))).pipe(
          flatMapValues((event) => Array.from({ length: 50 }, () => event)),
          timed,
          keyBy(([key]): Key => key),
          announced,
          sink('out', out),
        ),
      )
      await job.run().done
      return out.committed
    }
    expect(await flood({ stepsPerSlice: () => 1 })).toEqual(await flood({}))
  })

  test('may be cut off in the middle, and is done anew by the next run', async () => {
    const out = memorySink<string>()
    const define = (stepsPerSlice: number, to: typeof out) =>
      defineJob('cut', { storage: memory(), checkpoints: { intervalMs: 2 }, pacing: { stepsPerSlice: () => stepsPerSlice } }, ({ source, sink }) =>
        source('events', memorySource(rounds(200))).pipe(
          timed,
          keyBy(([key]): Key => key),
          announced,
          sink('out', to),
        ),
      )
    const job = define(3, out)
    for (let run = 1; run <= 12; run += 1) {
      const handle = job.run()
      for (let turn = 0; turn < 5 * run; turn += 1) await systemClock.yield()
      handle.cancel()
    }
    await job.run().done
    const whole = memorySink<string>()
    await define(1_000_000, whole).run().done
    expect(out.committed).toEqual(whole.committed)
  })
})

const isDue = (text: unknown): boolean => / due | has | overlaps /.test(String(text))
