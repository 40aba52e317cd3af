import type { CodecOf } from './codecOf.js'
import { ConfigurationError, RestoreError } from './errors.js'
import { atLeast } from './limits.js'
import { type StateCodec, stateCodec } from './stateCodec.js'
import { decodeTagged, encodeTagged } from './taggedJson.js'

/** What happens at an operator with several inputs between the first barrier of a checkpoint and the last. */
export interface BarrierOptions {
  /**
   * `exactly-once`, unless told. `at-least-once`: nothing is held back; records that come between the barriers of two inputs are
   * in the checkpoint and are read again after a restore.
   */
  readonly mode?: 'exactly-once' | 'at-least-once'
  /**
   * A barrier overtakes the records that other inputs still bring before theirs; these are stored with the checkpoint, and
   * processed first after a restore. Default no: inputs are held back until all have delivered the barrier.
   */
  readonly unaligned?: boolean
  /** Inputs are held back until the checkpoint is so old; then its barrier overtakes. Looked at as elements arrive. Default 0. */
  readonly alignmentTimeoutMs?: number
  /** How records that a barrier has overtaken are written. Default: plain data, as it is. */
  readonly inFlight?: CodecOf<unknown>
}

/** The options, checked, as operators see them. */
export interface BarrierRules {
  /** Nothing is held back, and nothing stored instead. */
  readonly atLeastOnce: boolean
  /** The age at which a barrier overtakes; `Infinity` for never. */
  readonly overtakesAfterMs: number
  readonly codec: StateCodec<unknown>
}

/** Values that are plain data: version 0, so that what a codec wrote is not mistaken for it. */
const plain: StateCodec<unknown> = {
  version: 0,
  toText: (value) => encodeTagged(value),
  fromText(text, version) {
    if (version !== 0) throw new RestoreError('STATE_VERSION_UNSUPPORTED', { state: 'checkpoints.inFlight', found: version, supported: [0] })
    return decodeTagged(text)
  },
}

export const alignedBarriers: BarrierRules = { atLeastOnce: false, overtakesAfterMs: Number.POSITIVE_INFINITY, codec: plain }

export function barrierRules({ mode = 'exactly-once', unaligned = false, alignmentTimeoutMs, inFlight }: BarrierOptions): BarrierRules {
  if (mode !== 'exactly-once' && mode !== 'at-least-once')
    throw new ConfigurationError('OPTION_INVALID', { option: 'checkpoints.mode', found: mode, expected: ['exactly-once', 'at-least-once'] })
  if (unaligned && mode === 'at-least-once')
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'checkpoints.unaligned',
      found: true,
      expected: 'false where mode is at-least-once: nothing is held back there, so that there is nothing to overtake',
    })
  if (alignmentTimeoutMs !== undefined) {
    atLeast('checkpoints.alignmentTimeoutMs', alignmentTimeoutMs, 0)
    if (!unaligned)
      throw new ConfigurationError('OPTION_INVALID', {
        option: 'checkpoints.alignmentTimeoutMs',
        found: alignmentTimeoutMs,
        expected: 'together with unaligned: true',
      })
  }
  return {
    atLeastOnce: mode === 'at-least-once',
    overtakesAfterMs: unaligned ? (alignmentTimeoutMs ?? 0) : Number.POSITIVE_INFINITY,
    codec: inFlight === undefined ? plain : stateCodec(inFlight, { state: 'checkpoints.inFlight' }),
  }
}
