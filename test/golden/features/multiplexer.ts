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
  if (firstOther >= 0 && lastRegister > firstOther) throw new Unsupported('the inputs of an operator are there from its start on: none joins later')
  const gone = new Set(golden.input.flatMap(({ op, output }) => (op === 'unregister' ? [output as string] : [])))
  if (registered.every((output) => gone.has(output))) throw new Unsupported('where all inputs have ended, event time has come to its end')
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
      if (input < 0) throw unknown('output', output)
      if (op === 'emit') combined.inputWatermark(input, watermarkTime(ts))
      else if (op === 'markIdle') combined.inputStatus(input, true)
      // One that is gone has come to the end of time.
      else if (op === 'unregister') combined.inputWatermark(input, Number.POSITIVE_INFINITY)
      else if (op !== 'register') throw unknown('operation of several outputs', op)
    },
    answer: (expected) => asked(expected, seen),
  })
}
