import { Alignment } from '../../../lib/align.js'
import { barrierRules } from '../../../lib/barrierRules.js'
import { CheckpointBarrier, EndOfInput, StreamStart } from '../../../lib/element.js'
import { checkpointId } from '../../../lib/identity.js'
import { defaultLimits } from '../../../lib/limits.js'
import type { RunContext } from '../../../lib/run.js'
import { type Case, type Fields, unknown } from '../model.js'
import { type Emitted, play } from '../play.js'

/**
 * Inputs that are held back until all have delivered their barrier, or whose barriers are only counted.
 *
 * Two things are told differently here. A channel that has ended stays and delivers every later barrier at once, as sources
 * here do. And a cancellation comes from the coordinator: the junction is told of it and reports none, so that what remains to
 * compare is which channels are held back, and when the snapshot is taken.
 */
export function barriers(golden: Case): Promise<void> {
  const { mode, channels } = golden.config
  const counts = String(mode).startsWith('tracker')
  if (!counts && !String(mode).startsWith('aligned')) throw unknown('mode of barriers', mode)
  const emitted: Emitted[] = []
  const ended = new Set<number>()
  const triggered = new Set<number>()
  const delivered = Array.from({ length: channels }, () => 0)
  const { alignment, watch } = junction(channels, emitted, ended)
  const ports = Array.from({ length: channels }, (_, channel) => alignment.port(channel))
  const rules = barrierRules({ mode: counts ? 'at-least-once' : 'exactly-once' })
  const run = { kind: 'job', limits: defaultLimits, barriers: rules, abort() {} } as unknown as RunContext
  for (const [channel, port] of ports.entries()) port.start(new StreamStart(run, false, `channel${channel}`))
  watch()

  const deliver = (channel: number, id: number): void => {
    if (id <= (delivered[channel] as number)) return
    delivered[channel] = id
    ports[channel]?.barrier(new CheckpointBarrier(checkpointId(id)))
  }
  return play(expectedHere(golden), {
    apply({ op, channel, id }) {
      switch (op) {
        case 'buffer':
          return ports[channel]?.receiver().processRecord('data', undefined, undefined)
        case 'barrier':
          triggered.add(id)
          for (const other of ended) deliver(other, id)
          return deliver(channel, id)
        case 'cancel':
          return alignment.abort(id)
        case 'endOfPartition':
          ports[channel]?.end(new EndOfInput(false))
          ended.add(channel)
          for (const each of [...triggered].sort((a, b) => a - b)) deliver(channel, each)
          return
        default:
          throw unknown('operation of a junction', op)
      }
    },
    take: () => emitted.splice(0),
  })
}

/** A junction that tells when a channel is held back, and when it goes on. */
function junction(channels: number, emitted: Emitted[], ended: ReadonlySet<number>): { readonly alignment: Alignment; watch(): void } {
  const alignment = new Alignment(channels, {
    operator: 'under-test',
    connects: undefined,
    start() {},
    receiver: () => ({ processRecord() {} }),
    watermark() {},
    status() {},
    barrier: (barrier: CheckpointBarrier) => emitted.push({ kind: 'checkpoint', id: barrier.checkpointId }),
    end() {},
    complete() {},
    error(error: unknown) {
      throw error
    },
  } as never)
  const watch = (): void => {
    const { inputs } = alignment as unknown as { readonly inputs: { blocked: boolean }[] }
    inputs.forEach((input, channel) => {
      let blocked = input.blocked
      Object.defineProperty(input, 'blocked', {
        get: () => blocked,
        set(next: boolean) {
          if (next !== blocked && !ended.has(channel)) emitted.push({ kind: next ? 'block' : 'resume', channel })
          blocked = next
        },
      })
    })
  }
  return { alignment, watch }
}

/** Without what only reports to a coordinator, and without letting channels go on that are not held back. */
function expectedHere(golden: Case): Case {
  const blocked = new Set<number>()
  const counts = ({ kind, channel }: Fields): boolean => {
    if (kind === 'abort') return false
    if (kind === 'block') blocked.add(channel)
    return kind !== 'resume' || blocked.delete(channel)
  }
  return { ...golden, expected: golden.expected.filter(counts) }
}
