import fc from 'fast-check'
import type { Law } from '../../laws/law.js'
import { windowLaws } from '../../laws/windowLaws.js'
import { type Aggregate, type Assigner, session, sliding, tumbling } from '../../lib/index.js'
import { timeWindow } from '../../lib/window/timeWindow.js'
import { sideOutput } from '../../operators/sideOutput.js'
import { window } from '../../operators/window.js'

export interface Value {
  readonly key: string
  readonly n: number
  readonly at: number
}
export const late = sideOutput<Value>('late')
const values = fc.record({
  key: fc.constantFrom('a', 'b'),
  n: fc.nat(9),
  at: fc.oneof(
    fc.nat(100),
    fc.nat(8).map((n) => 12 * n),
  ),
})
export const common = { values, key: ({ key }: Value) => key, timestamp: ({ at }: Value) => at }
export const sum: Aggregate<Value, number, number> = {
  create: () => 0,
  add: (total, { n }) => total + n,
  merge: (a, b) => a + b,
  result: (total) => total,
}
export const expected = (all: readonly Value[]): readonly number[] => [all.reduce((total, { n }) => total + n, 0)]

/** Windows as long as the number of a record says: an assigner of a user's own. */
const stretched: Assigner<Value> = {
  name: 'stretched',
  time: 'event',
  trigger: tumbling({ sizeMs: 1 }).trigger,
  assign: ({ n }, timeMs) => [timeWindow(timeMs - (timeMs % 10), timeMs - (timeMs % 10) + 10 + n)],
}
const assigners: { readonly [name: string]: Assigner<Value> } = {
  tumbling: tumbling({ sizeMs: 20, offsetMs: 3 }),
  'sliding, in slices': sliding({ sizeMs: 30, slideMs: 10 }),
  'sliding, with gaps': sliding({ sizeMs: 10, slideMs: 25 }),
  session: session({ gapMs: 12 }),
  'of a user': stretched,
}

/** The laws of every kind of window, without and with late records, by a name. */
export const windowMatrix: { readonly [name: string]: readonly Law[] } = Object.fromEntries(
  Object.entries(assigners).flatMap(([name, assigner]) =>
    [0, 15].map((allowedLatenessMs) => {
      const apply = window('sums', { assigner, aggregate: sum, allowedLatenessMs, late }) as never
      return [`${name}, ${allowedLatenessMs} ms late`, windowLaws<Value, number>({ ...common, apply, assigner, allowedLatenessMs, late, expected })]
    }),
  ),
)
