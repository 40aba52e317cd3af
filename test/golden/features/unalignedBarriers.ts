import { Alignment } from '../../../lib/align.js'
import { barrierRules } from '../../../lib/barrierRules.js'
import { CheckpointBarrier, StreamStart } from '../../../lib/element.js'
import { checkpointId } from '../../../lib/identity.js'
import type { Json } from '../../../lib/json.js'
import { defaultLimits } from '../../../lib/limits.js'
import type { RunContext } from '../../../lib/run.js'
import { type Case, Mismatch, unknown } from '../model.js'
import { play } from '../play.js'

/**
 * Barriers that overtake. Records are the index of their event; every one of them is delivered, in order, at once.
 *
 * A cancellation comes from the coordinator here, for all channels at once.
 */
export function unalignedBarriers(golden: Case): Promise<void> {
  const { channels, mode } = golden.config
  if (!String(mode).startsWith('unaligned')) throw unknown('mode of barriers', mode)
  let started: number | null = null
  let canceled: number | undefined
  let inFlight: Json | undefined
  let delivered: unknown
  const alignment = new Alignment(channels, {
    operator: 'under-test',
    connects: undefined,
    start() {},
    receiver: () => ({ processRecord: (index: unknown) => (delivered = index) }),
    watermark() {},
    status() {},
    overtake: ({ checkpointId: id }: CheckpointBarrier) => (started = id),
    overtaken: (_barrier: CheckpointBarrier, elements: Json | undefined) => (inFlight = elements),
    giveUp() {},
    barrier: ({ checkpointId: id }: CheckpointBarrier) => (started = id),
    end() {},
    complete() {},
    error(error: unknown) {
      throw error
    },
  } as never)
  const run = {
    kind: 'job',
    limits: defaultLimits,
    barriers: barrierRules({ unaligned: true }),
    clock: { nowMs: () => 0 },
    abort() {},
  } as unknown as RunContext
  const ports = Array.from({ length: channels }, (_, channel) => alignment.port(channel))
  for (const [channel, port] of ports.entries()) port.start(new StreamStart(run, false, `channel${channel}`))

  return play(golden, {
    apply({ op, channel, id }, index) {
      switch (op) {
        case 'buffer':
          ports[channel]?.receiver().processRecord(index, undefined, undefined)
          if (delivered !== index) throw new Mismatch(`the element of step ${index} was not delivered`)
          return
        case 'barrier':
          return ports[channel]?.barrier(new CheckpointBarrier(checkpointId(id)))
        case 'cancel':
          canceled = id
          return alignment.abort(id)
        default:
          throw unknown('operation of a junction', op)
      }
    },
    answer(expected) {
      if (expected['kind'] !== 'checkpoint') return undefined
      const elements = (inFlight as { elements?: [number, string, string][] } | undefined)?.elements ?? []
      return {
        id: started,
        inflight: elements.map(([, , value]) => JSON.parse(value) as number),
        ...('canceled' in expected ? { canceled } : {}),
      }
    },
  })
}
