import type { ReplayableSource } from 'rxweir'

export interface Steps {
  /** The next step may come. */
  go(): void
  over<T>(source: ReplayableSource<T>): ReplayableSource<T>
}

/** Lets a source go on only step by step, so that how much happens in between is not a matter of speed. */
export function steps(recordsPerStep: number): Steps {
  let allowed = recordsPerStep
  let wake = (): void => {}
  return {
    go() {
      allowed += recordsPerStep
      wake()
    },
    over: (source) => ({
      ...source,
      open: (context) => async () => {
        const opened = await source.open(context)()
        if (opened._tag === 'Left') return opened
        const reader = opened.right
        const read: typeof reader.read = (recordsMax) => async () => {
          if (allowed <= 0)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          const found = await reader.read(Math.min(recordsMax, allowed))()
          if (found._tag === 'Right' && found.right.kind === 'batch') allowed -= found.right.batch.values.length
          return found
        }
        const close: typeof reader.close = () => () => {
          allowed = 1
          wake()
          return reader.close()()
        }
        return { ...opened, right: { start: reader.start, read, close } }
      },
    }),
  }
}
