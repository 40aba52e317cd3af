import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { option as O, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { defineJob, keyBy, type ReplayableSource, statefulMap } from 'rxweir'
import { lmdb } from 'rxweir/backends/lmdb'
import { countingSink } from '../countingSink.js'

export interface LargeRequest {
  readonly keys: number
  /** Records behind them, of keys at random. */
  readonly updates: number
  readonly cacheMb: number
  readonly dirtyMb: number
}

export interface LargeMeasurement {
  /** Records per second while every key comes for the first time, and while they come again. */
  readonly come: number
  readonly again: number
  /** From the start of a second run until its first record. */
  readonly restartMs: number
  /** The most that the heap held. */
  readonly heapPeakMb: number
  readonly fileMb: number
  readonly checkpoints: number
}

const mebibyte = 1024 * 1024
const state = t.type({ sum: t.number, count: t.number })

/** The key of a record: first each in turn, then one at random, which the number of the record decides. */
const keyOf = (index: number, keys: number): number => (index < keys ? index : Math.imul(index, 0x9e37_79b1) >>> 0) % keys

/** So many numbers, and then none for ever. */
function numbers(count: number, keys: number): ReplayableSource<number> {
  return {
    offsets: 'replayable',
    open: ({ from }) => {
      let at = O.isSome(from) ? (from.value as number) : 0
      let close = (): void => {}
      const closed = new Promise<void>((resolve) => {
        close = resolve
      })
      return TE.right({
        start: at,
        read: (recordsMax) => async () => {
          if (at >= count) {
            await closed
            return { _tag: 'Right', right: { kind: 'end' } }
          }
          const start = at
          at = Math.min(count, at + recordsMax)
          const values = Array.from({ length: at - start }, (_, index) => keyOf(start + index, keys))
          return { _tag: 'Right', right: { kind: 'batch', batch: { values, offsetAfter: (index: number) => start + index + 1 } } }
        },
        close: () => async () => close(),
      })
    },
  }
}

export async function measureLarge({ keys, updates, cacheMb, dirtyMb }: LargeRequest): Promise<LargeMeasurement> {
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  const total = keys + updates
  let came = 0
  let heapPeak = 0
  let checkpoints = 0
  /** Runs until so many records have come through; answers when the first, the last new key and the last one did. */
  const run = async (until: number): Promise<{ readonly firstMs: number; readonly keysMs: number; readonly lastMs: number }> => {
    let [firstMs, keysMs] = [0, 0]
    let all = (): void => {}
    const through = new Promise<void>((resolve) => {
      all = resolve
    })
    const take = (): void => {
      came += 1
      if (firstMs === 0) firstMs = performance.now()
      if (came === keys) keysMs = performance.now()
      if (came === until) all()
    }
    const running = defineJob(
      'large',
      { ...lmdb(folder, { cacheBytesMax: cacheMb * mebibyte, dirtyBytesMax: dirtyMb * mebibyte }) },
      ({ source, sink }) =>
        source('numbers', numbers(until, keys)).pipe(
          keyBy((key) => `key-${key}`),
          statefulMap('sum', { state }, (before: t.TypeOf<typeof state> | undefined, key: number) => {
            const next = { sum: (before?.sum ?? 0) + key, count: (before?.count ?? 0) + 1 }
            return [next, next.sum / next.count]
          }),
          sink('means', countingSink<number>({ take, onBarrier: () => (checkpoints += 1) })),
        ),
    ).run()
    await Promise.race([through, running.done])
    const lastMs = performance.now()
    await running.stop()
    return { firstMs, keysMs, lastMs }
  }
  const watch = setInterval(() => {
    heapPeak = Math.max(heapPeak, process.memoryUsage().heapUsed)
  }, 250)
  try {
    const { firstMs, keysMs, lastMs } = await run(total)
    const { size } = await stat(`${folder}/large/store.mdb`)
    const startMs = performance.now()
    const again = await run(total + 1)
    return {
      come: Math.round((keys * 1_000) / (keysMs - firstMs)),
      again: Math.round((updates * 1_000) / (lastMs - keysMs)),
      restartMs: Math.round(again.firstMs - startMs),
      heapPeakMb: Math.round(heapPeak / mebibyte),
      fileMb: Math.round(size / mebibyte),
      checkpoints,
    }
  } finally {
    clearInterval(watch)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
