import { CombinedWatermark } from '../../../lib/combinedWatermark.js'
import { type Case, Unsupported, unknown, watermarkTime } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** The event time of several inputs of one operator. All stand at once here, and one that ends has reached the end of time. */
export function multiplexer(golden: Case): Promise<void> {
  const registered = golden.input.flatMap(({ op, output }) => (op === 'register' ? [output as string] : []))
  const lastRegister = golden.input.map(({ op }) => op).lastIndexOf('register')
  const firstOther = golden.input.findIndex(({ op }) => op !== 'register')
  if (golden.input.some(({ mode, op }) => mode === 'deferred' || op === 'periodicEmit'))
    throw new Unsupported('watermarks follow records and not the clock: nothing is deferred until it is time to emit')
  if (golden.input.some(({ op }) => op === 'unregister') || (firstOther >= 0 && lastRegister > firstOther))
    throw new Unsupported(
      'the inputs of an operator are there from its start to its end: one that ends has reached the end of time and holds nobody back',
    )
  const seen: { lastWatermark: number | null; idle: boolean } = { lastWatermark: null, idle: false }
  const combined = new CombinedWatermark(registered.length, {
    watermark(timestampMs) {
      seen.lastWatermark = timestampMs
    },
    status(idle) {
      seen.idle = idle
    },
  })
  return play(golden, {
    apply({ op, output, ts }) {
      const input = registered.indexOf(output)
      if (op === 'emit') combined.inputWatermark(input, watermarkTime(ts))
      else if (op === 'markIdle') combined.inputStatus(input, true)
      else if (op !== 'register') throw unknown('operation of several outputs', op)
    },
    answer: (expected) => asked(expected, seen),
  })
}
