import type { SideOutput } from '../../lib/sideOutput.js'
import { fromSide } from '../../operators/fromSide.js'
import { HandFeed, noted } from './handFed.js'
import { type HandCheckpoint, HandRun } from './handRun.js'

/** A window operator fed by hand with texts: `k3` is a record of key k at time 3. */
export function fedWindow(operator: unknown, { from, late }: { from?: HandCheckpoint; late?: SideOutput<string> } = {}) {
  const run = new HandRun()
  const feed = new HandFeed(run)
  const stream = (operator as (source: unknown) => ReturnType<HandFeed['elements']['asObservable']>)(feed.stream)
  const out = noted(stream)
  const aside = late === undefined ? undefined : noted((fromSide(late) as unknown as (source: unknown) => typeof stream)(stream))
  feed.start(true)
  run.open(from)
  let told = 0
  const made = {
    run,
    feed,
    out,
    late: aside,
    put(...texts: readonly string[]) {
      for (const text of texts) feed.record(text, Number(text.slice(1)), text.charAt(0))
      return made
    },
    watermark(timestampMs: number) {
      feed.watermark(timestampMs)
      return made
    },
    async clock(atMs: number) {
      await run.clock.advance(atMs - run.clock.nowMs())
    },
    /** The results since the last call. */
    took() {
      if (run.failures.length > 0) throw run.failures[0]
      if (typeof out.ending === 'object') throw out.ending.error
      const values = out.records.slice(told).map(({ value }) => value)
      told = out.records.length
      return values
    },
    checkpoint(id = 1): HandCheckpoint {
      feed.barrier(id)
      return run.complete(id)
    },
  }
  return made
}

/** Shows what a window holds: `a 0-10 a1+a2`. */
export const shownWindow = {
  process: (
    values: readonly string[],
    { key, start, end }: { key: unknown; start: number; end: number },
    emit: (...value: [value: string]) => void,
  ): void => emit(`${String(key)} ${start}-${end} ${values.join('+')}`),
}

/** The same with an accumulator. */
export const joined = {
  aggregate: {
    create: (): readonly string[] => [],
    add: (list: readonly string[], text: string): readonly string[] => [...list, text],
    merge: (a: readonly string[], b: readonly string[]): readonly string[] => [...a, ...b],
    result: (list: readonly string[]): string => list.join('+'),
  },
  result: (list: string, { key, start, end }: { key: unknown; start: number; end: number }): string => `${String(key)} ${start}-${end} ${list}`,
}
