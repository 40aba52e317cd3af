import { option as O, taskEither as TE } from 'fp-ts'
import type { ReplayableSource } from 'rxweir'

export interface SteppedSource {
  readonly source: ReplayableSource<number>
  /** So many more records may come. */
  go(records: number): void
}

/** Yields `keys`, as many as it is told to. Behind the last one nothing comes, and it does not end. */
export function steppedSource(keys: Uint32Array): SteppedSource {
  let allowed = 0
  let wake = (): void => {}
  let woken = new Promise<void>(() => {})
  const sleep = (): void => {
    woken = new Promise((resolve) => {
      wake = resolve
    })
  }
  sleep()
  let closed = false
  const go = (records: number): void => {
    allowed += records
    wake()
    sleep()
  }
  const source: ReplayableSource<number> = {
    offsets: 'replayable',
    open: ({ from }) => {
      let at = O.isSome(from) ? (from.value as number) : 0
      allowed += at
      return TE.right({
        start: at,
        read: (recordsMax) => async () => {
          while (!closed && (at >= allowed || at >= keys.length)) await woken
          if (closed) return { _tag: 'Right', right: { kind: 'end' } }
          const start = at
          at = Math.min(keys.length, allowed, at + recordsMax)
          return {
            _tag: 'Right',
            right: { kind: 'batch', batch: { values: Array.from(keys.subarray(start, at)), offsetAfter: (index: number) => start + index + 1 } },
          }
        },
        close: () => async () => {
          closed = true
          wake()
        },
      })
    },
  }
  return { source, go }
}
