import fc from 'fast-check'
import { type Build, OperatorHarness } from '../../laws/harness/operatorHarness.js'
import { type Law, law } from '../../laws/law.js'
import { intervalJoin } from '../../operators/intervalJoin.js'
import { keyBy } from '../../operators/keyBy.js'
import { union } from '../../operators/union.js'

/** One input comes to a later time, or changes between idle and active; and whether the operator is restored behind it. */
interface Step {
  readonly input: number
  readonly ms: number | 'idle'
  readonly restored: boolean
}

const steps = (inputs: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      input: fc.nat({ max: inputs - 1 }),
      ms: fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 50 }) }, { weight: 2, arbitrary: fc.constant('idle' as const) }),
      restored: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
    }),
    { maxLength: 30, size: 'max' },
  )

interface Input {
  watermark: number
  idle: boolean
}

/** Event time behind several inputs is where the slowest is that is active, or beyond; it never falls, and is never ahead of all of them. */
const timeOf = (name: string, inputs: number, build: Build): Law =>
  law(`event-time-of-${name}`, 'an input that is idle holds event time back no longer, and event time never falls or runs ahead', () =>
    fc.asyncProperty(steps(inputs), async (all) => {
      const harness = new OperatorHarness({ build, inputs })
      const each: Input[] = Array.from({ length: inputs }, () => ({ watermark: Number.NEGATIVE_INFINITY, idle: false }))
      let out = Number.NEGATIVE_INFINITY
      /** An input that comes back may be behind. When it leaves again, time that is due waits for the next watermark, as with Flink. */
      let cameBack = false
      for (const { input, ms, restored } of all) {
        const one = each[input] as Input
        const rises = ms !== 'idle' && !one.idle && ms > one.watermark
        if (ms === 'idle') {
          one.idle = !one.idle
          cameBack ||= !one.idle
          harness.status(one.idle, input)
        } else if (rises) {
          one.watermark = ms
          harness.watermark(ms, input)
        }
        for (const output of harness.take())
          if (output.kind === 'watermark') {
            if (output.timestamp < out) throw new Error(`event time fell from ${out} to ${output.timestamp}`)
            out = output.timestamp
          }
        const active = each.filter(({ idle }) => !idle).map(({ watermark }) => watermark)
        if (active.length > 0 && out < Math.min(...active) && (rises || !cameBack))
          throw new Error(`event time is ${out}, and every active input is at ${Math.min(...active)}`)
        const furthest = Math.max(...each.map(({ watermark }) => watermark))
        if (out > furthest) throw new Error(`event time is ${out}, and no input is beyond ${furthest}`)
        if (restored) harness.restore(harness.snapshot())
        harness.take()
      }
      harness.close()
    }),
  )

const byAll = keyBy((_: number) => 'all')

export const lawsOfJunctionTime: readonly Law[] = [
  timeOf('union', 3, ([first, ...others]) => union(...(others as never[]))(first as never) as never),
  timeOf(
    'interval-join',
    2,
    ([first, second]) =>
      intervalJoin('pairs', byAll(second as never), { lowerMs: 0, upperMs: 5 }, (a: number, b: number) => a + b)(byAll(first as never)) as never,
  ),
]
