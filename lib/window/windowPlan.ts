import { type CodecOf, json, type StateCodec, stateCodec } from '../codec.js'
import { ConfigurationError } from '../errors.js'
import type { Key } from '../key.js'
import { atLeast } from '../limits.js'
import type { SideOutput } from '../sideOutput.js'
import type { StateDescriptors } from '../state/descriptor.js'
import type { Aggregate } from './aggregate.js'
import type { Assigner } from './assigner.js'
import type { Evictor } from './evictor.js'
import { type Fold, foldOfAggregate, foldOfReduce } from './fold.js'
import type { Trigger } from './trigger.js'

/** What functions of a user see of a window; its type for them is that of the operator. */
export interface WindowView {
  readonly key: Key
  readonly start: number
  readonly end: number
  readonly watermark: number
  readonly globalState: unknown
  readonly windowState: unknown
  emitTo<S>(side: SideOutput<S>, value: S): void
}

/** What a window operator is told, of whatever types. */
export interface WindowRequest {
  readonly assigner: Assigner<unknown>
  readonly trigger?: Trigger
  readonly evictor?: Evictor<unknown>
  readonly allowedLatenessMs?: number
  readonly late?: SideOutput<never>
  readonly globalState?: StateDescriptors
  readonly windowState?: StateDescriptors
  clear?(window: WindowView): void
  readonly aggregate?: Aggregate<unknown, unknown, unknown>
  reduce?(a: unknown, b: unknown): unknown
  process?(values: readonly unknown[], window: WindowView, emit: (value: unknown) => void): void
  readonly result?: (figure: unknown, window: WindowView) => unknown
  readonly state?: CodecOf<unknown>
  readonly elements?: CodecOf<unknown>
}

/** The same, checked and complete. */
export interface WindowPlan {
  readonly request: WindowRequest
  readonly trigger: Trigger
  readonly allowedLatenessMs: number
  /** None where a function sees all records. */
  readonly fold: Fold<unknown, unknown, unknown> | undefined
  readonly accumulatorCodec: StateCodec<unknown>
  readonly elementCodec: StateCodec<unknown>
  /** Nothing but an assigner and a fold was asked for. */
  readonly plain: boolean
}

export function checkedWindow(request: WindowRequest, uid: string): WindowPlan {
  const { assigner, trigger = assigner.trigger, evictor, allowedLatenessMs = 0, aggregate, reduce, process } = request
  atLeast('allowedLatenessMs', allowedLatenessMs, 0)
  if ([aggregate, reduce, process].filter((way) => way !== undefined).length !== 1)
    throw new ConfigurationError('OPTION_INVALID', { uid, option: 'aggregate', expected: 'one of aggregate, reduce and process' })
  const fold =
    aggregate !== undefined ? foldOfAggregate(aggregate) : reduce !== undefined ? foldOfReduce((a, b) => request.reduce?.(a, b)) : undefined
  if (assigner.merging === true) {
    if (trigger.onMerge === undefined) throw new ConfigurationError('TRIGGER_CANNOT_MERGE', { uid, assigner: assigner.name })
    if (fold !== undefined && evictor === undefined && fold.merge === undefined)
      throw new ConfigurationError('OPTION_INVALID', { uid, option: 'aggregate.merge', expected: 'a function, because windows merge' })
    if (request.windowState !== undefined)
      throw new ConfigurationError('OPTION_INVALID', { uid, option: 'windowState', expected: 'none, because windows merge' })
  }
  const plain =
    trigger === assigner.trigger &&
    evictor === undefined &&
    request.globalState === undefined &&
    request.windowState === undefined &&
    request.clear === undefined
  const where = { uid }
  return {
    request,
    trigger,
    allowedLatenessMs,
    fold,
    accumulatorCodec: stateCodec((reduce === undefined ? request.state : request.elements) ?? json<unknown>(), where),
    elementCodec: stateCodec(request.elements ?? json<unknown>(), where),
    plain,
  }
}
