import { WatermarkValve } from '../../../lib/watermarkValve.js'
import { type Case, type Fields, unknown, watermarkTime } from '../model.js'
import { type Emitted, play } from '../play.js'

/** The event time of channels that are joined into one stream. */
export function watermarkValve(golden: Case): Promise<void> {
  const emitted: Emitted[] = []
  const valve = new WatermarkValve(golden.config['channels'], {
    watermark: (ts) => emitted.push({ kind: 'watermark', ts }),
    status: (idle) => emitted.push({ kind: 'status', value: idle ? 'idle' : 'active' }),
  })
  const channels = (
    valve as unknown as { readonly channels: readonly { readonly watermark: number; readonly idle: boolean; readonly aligned: boolean }[] }
  ).channels
  return play(golden, {
    apply({ op, channel, ts, value }) {
      if (op === 'watermark') valve.inputWatermark(channel ?? 0, watermarkTime(ts))
      else if (op === 'status') valve.inputStatus(channel ?? 0, value === 'idle')
      else throw unknown('operation of a valve', op)
    },
    take: () => emitted.splice(0),
    answer(expected: Fields) {
      if (expected['kind'] !== 'assert') return undefined
      const channel = channels[expected['channel']]
      if (channel === undefined) throw unknown('channel', expected['channel'])
      const answers: Fields = {
        watermark: channel.watermark,
        isWatermarkAligned: channel.aligned,
        idle: channel.idle,
        status: channel.idle ? 'idle' : 'active',
      }
      return asked(expected, answers)
    },
  })
}

/** The answers to what an expectation asks. */
export function asked(expected: Fields, answers: Fields): Fields {
  const names = Object.keys(expected).filter((name) => !['after', 'kind', 'channel', 'note', 'what', 'window', 'domain'].includes(name))
  for (const name of names) if (!(name in answers)) throw unknown('assertion', name)
  return Object.fromEntries(names.map((name) => [name, answers[name]]))
}
