import { boundedOutOfOrderness, monotonousTimestamps, type WatermarkStrategy } from '../../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../../operators/assignTimestamps.js'
import { Harness } from '../harness.js'
import { type Case, recordTime, Unsupported, unknown } from '../model.js'
import { type Emitted, play } from '../play.js'
import { stream } from '../streaming.js'
import { asked } from './watermarkValve.js'

/** Generators by themselves. A generator here answers each record; asking it is looking at its last answer. */
export function watermarkStrategy(golden: Case): Promise<void> {
  const { generator: name, maxOutOfOrderness } = golden.config
  const strategies: { readonly [name: string]: (() => WatermarkStrategy) | undefined } = {
    ascending: () => monotonousTimestamps(),
    boundedOutOfOrderness: () => boundedOutOfOrderness({ delayMs: maxOutOfOrderness }),
    bounded: () => boundedOutOfOrderness({ delayMs: maxOutOfOrderness }),
  }
  const strategy = strategies[name]
  if (strategy === undefined) throw unknown('generator', name)
  const generator = strategy().create()
  let watermark = Number.NEGATIVE_INFINITY
  const emitted: Emitted[] = []
  return play(golden, {
    apply({ op, ts }) {
      if (op === 'event') watermark = generator.onRecord(recordTime(ts) as number)
      else if (op === 'periodicEmit') emitted.push({ kind: 'watermark', ts: watermark })
      else throw unknown('operation of a generator', op)
    },
    take: () => emitted.splice(0),
  })
}

/** When a stream without records counts as idle. A check is a look of the operator at its clock. */
export function watermarkIdleness(golden: Case): Promise<void> {
  let newest = 0
  let idle = false
  const harness = new Harness({
    inputs: 1,
    build: ([input]) =>
      (input as any).pipe(
        assignTimestamps({ timestamp: (at: number) => at, watermarks: monotonousTimestamps({ idleAfterMs: golden.config['idleTimeout'] }) }),
      ),
  })
  return play(golden, {
    apply({ op, by }) {
      if (op === 'advanceClock') harness.clock.time += by
      else if (op === 'activity') harness.record(++newest, undefined)
      else if (op === 'check') harness.check()
      else throw unknown('operation of idleness', op)
      for (const { kind, value } of harness.takeEmitted()) if (kind === 'status') idle = value === 'idle'
    },
    answer: (expected) => asked(expected, { idle }),
    close: () => harness.close(),
  })
}

/** Event time given in the middle of a stream. */
export function timestampsAndWatermarks(golden: Case): Promise<void> {
  const { mode, fn } = golden.config
  if (mode !== 'streaming') throw new Unsupported('there is one mode, streaming: watermarks always progress')
  const [timestamp, watermarks] = strategyOf(String(fn?.doc))
  return stream(golden, { inputs: 1, build: ([input]) => (input as any).pipe(assignTimestamps({ timestamp, watermarks })) })
}

type Parts = readonly [timestamp: (value: any) => number, watermarks: WatermarkStrategy]

const generated = (onRecord: (timestampMs: number) => number): WatermarkStrategy => ({
  idleAfterMs: undefined,
  create: () => ({ onRecord, snapshot: () => null, restore() {} }),
})

/** Strategies that files describe in words. */
function strategyOf(doc: string): Parts {
  if (doc.startsWith('element = [flag, ts]; timestamp = element[1]; punctuated generator: if flag emit watermark(element[1])')) {
    let flag = false
    const timestamp = (value: readonly [boolean, number]): number => {
      flag = value[0]
      return value[1]
    }
    return [timestamp, generated((timestampMs) => (flag ? timestampMs : Number.NEGATIVE_INFINITY))]
  }
  if (doc === 'timestamp = element value; generator never emits a watermark') return [(value) => value, generated(() => Number.NEGATIVE_INFINITY)]
  if (doc.startsWith('WatermarkStrategy: timestamp = element value; generator deliberately does NOT keep the max'))
    return [(value) => value, generated((timestampMs) => timestampMs - 1)]
  throw unknown('watermark strategy', doc)
}
