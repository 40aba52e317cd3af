import type { Clock, ReplayableSource, SourceReader } from 'rxweir'

export interface Arrival<T> {
  /** As if the records arrived live. `Infinity`: as fast as they are read. */
  readonly perSecond: number
  readonly arrived: (values: readonly T[]) => void
}

/** How often records arrive, in ms. */
const everyMs = 4

/** A source whose records arrive at a rate. Its offsets are those of the source inside. */
export function arriving<T>(source: ReplayableSource<T>, arrival: Arrival<T>): ReplayableSource<T> {
  return {
    ...source,
    open: (context) => async () => {
      const opened = await source.open(context)()
      return opened._tag === 'Left' ? opened : { ...opened, right: paced(opened.right, arrival, context.clock) }
    },
  }
}

function paced<T>(reader: SourceReader<T>, { perSecond, arrived }: Arrival<T>, clock: Clock): SourceReader<T> {
  const together = Math.max(1, Math.ceil((perSecond * everyMs) / 1_000))
  const openedMs = clock.nowMs()
  let records = 0
  let wake = (): void => {}
  const arrivalOfNext = (): Promise<void> => {
    const dueMs = openedMs + (records * 1_000) / perSecond
    if (dueMs <= clock.nowMs()) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = clock.callAt(dueMs, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }
  return {
    start: reader.start,
    read: (recordsMax) => async () => {
      await arrivalOfNext()
      const read = await reader.read(Math.min(recordsMax, together))()
      if (read._tag === 'Right' && read.right.kind === 'batch') {
        records += read.right.batch.values.length
        arrived(read.right.batch.values)
      }
      return read
    },
    close: () => () => {
      wake()
      return reader.close()()
    },
  }
}
