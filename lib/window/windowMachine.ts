import { json, stateCodec } from '../codec.js'
import type { Key } from '../key.js'
import type { Machine, MachineContext } from '../machine.js'
import type { SideOutput } from '../sideOutput.js'
import type { Assigner } from './assigner.js'
import type { Contents } from './contents.js'
import type { Timed } from './evictor.js'
import type { Fold } from './fold.js'
import { FoldedContents } from './foldedContents.js'
import { GeneralMachine, windowNames } from './generalMachine.js'
import { LateRecords } from './lateRecords.js'
import { ListedContents, timedCodec } from './listedContents.js'
import type { StoredSession } from './orderedSessions.js'
import { Sessions } from './sessions.js'
import { SlicedMachine, sliceWidth } from './slicedMachine.js'
import type { SlidingAssigner } from './sliding.js'
import type { TimeWindow } from './timeWindow.js'
import { TumblingMachine } from './tumblingMachine.js'
import type { WindowPlan, WindowView } from './windowPlan.js'
import { WindowStates } from './windowStates.js'

/** Makes the machine that is right for what was asked for: a short one where it will do. */
export function windowMachine(context: MachineContext<unknown>, plan: WindowPlan): Machine<unknown> {
  const { fold, plain, accumulatorCodec: codec } = plan
  const { assigner } = plan.request
  if (!plain || fold === undefined || assigner.time !== 'event' || !isFixed(assigner)) return general(context, plan)
  const widthMs = fold.merge === undefined ? undefined : sliceWidth(assigner)
  if (assigner.slideMs !== assigner.sizeMs && widthMs === undefined) return general(context, plan)
  const options = {
    assigner,
    fold,
    allowedLatenessMs: plan.allowedLatenessMs,
    emit: plainEmitter(context, plan, assigner.sizeMs),
    late: lateOf(context, plan),
  }
  const inner = context as MachineContext<never>
  if (widthMs === undefined || assigner.slideMs === assigner.sizeMs)
    return new TumblingMachine(inner, options, context.rows({ table: 'windows', state: 'accumulator', codec, namespaced: true }))
  return new SlicedMachine(inner, options, widthMs, context.rows({ table: 'slices', state: 'accumulator', codec, namespaced: true }))
}

const isFixed = (assigner: Assigner<unknown>): assigner is SlidingAssigner => 'slideMs' in assigner && 'startOf' in assigner

const lateOf = (context: MachineContext<unknown>, plan: WindowPlan): LateRecords =>
  new LateRecords(context as MachineContext<never>, plan.request.late, 'windowEnded')

/** Emits what a fold found, without states. */
function plainEmitter(
  context: MachineContext<unknown>,
  { request: { result } }: WindowPlan,
  sizeMs: number,
): (figure: unknown, key: Key, start: number) => void {
  const emitTo = sideEmitter(context)
  return (figure, key, start) => {
    const end = start + sizeMs
    const shown =
      result === undefined
        ? figure
        : result(figure, { key, start, end, watermark: context.watermark(), globalState: {}, windowState: {}, emitTo: emitTo(end - 1) })
    context.output.processRecord(shown, end - 1, key)
  }
}

const sideEmitter =
  (context: MachineContext<unknown>) =>
  (timestamp: number) =>
  <S>(side: SideOutput<S>, value: S): void =>
    context.side(side).processRecord(value, timestamp, undefined)

function general(context: MachineContext<unknown>, plan: WindowPlan): Machine<unknown> {
  const { request, fold } = plan
  const { assigner, evictor, process, result } = request
  const states = new WindowStates(context as MachineContext<never>, request.globalState ?? {}, request.windowState ?? {})
  const { nameOf } = windowNames(assigner)
  const emitTo = sideEmitter(context)
  const viewOf = (key: Key, window: TimeWindow): WindowView => {
    states.enter(key, nameOf(window))
    const { start, end, lastMs } = window
    return { key, start, end, watermark: context.watermark(), globalState: states.global, windowState: states.windowed, emitTo: emitTo(lastMs) }
  }
  const showFigure = (figure: unknown, key: Key, window: TimeWindow): void => {
    const shown = result === undefined ? figure : result(figure, viewOf(key, window))
    context.output.processRecord(shown, window.lastMs, key)
  }
  const showValues = (values: readonly unknown[], key: Key, window: TimeWindow): void => {
    if (fold === undefined) process?.call(request, values, viewOf(key, window), (value) => context.output.processRecord(value, window.lastMs, key))
    else {
      const figure = folded(fold, values)
      if (figure !== undefined) showFigure(figure.value, key, window)
    }
  }
  const listed = fold === undefined || evictor !== undefined
  const contents: Contents<unknown> = listed
    ? new ListedContents(
        context.entries<Timed<unknown>>({ table: 'elements', state: 'element', codec: timedCodec(plan.elementCodec) }),
        evictor,
        showValues,
      )
    : new FoldedContents(context.rows({ table: 'windows', state: 'accumulator', codec: plan.accumulatorCodec, namespaced: true }), fold, showFigure)
  return new GeneralMachine(context as MachineContext<never>, {
    assigner,
    trigger: plan.trigger,
    allowedLatenessMs: plan.allowedLatenessMs,
    late: lateOf(context, plan),
    contents,
    sessions:
      assigner.merging === true
        ? new Sessions(
            context.rows<StoredSession>({ table: 'sessions', state: 'session', codec: stateCodec(json<StoredSession>()), namespaced: true }),
          )
        : undefined,
    form: `${listed ? 'records' : 'aggregates'} of ${kindOf(assigner)}, with timers`,
    user: {
      open: () => states.open(),
      expire: () => states.expire(),
      cleared(key, window) {
        if (request.clear !== undefined) request.clear(viewOf(key, window))
        if (request.windowState === undefined) return
        states.enter(key, nameOf(window))
        states.clearWindow()
      },
    },
  })
}

/** What is kept of windows is understood by their size alone, or by what stands there. */
function kindOf({ merging, sizeMs }: Assigner<unknown>): string {
  if (merging === true) return 'sessions'
  if (sizeMs === undefined) return 'windows of any size'
  return sizeMs === Number.POSITIVE_INFINITY ? 'all time' : `${sizeMs} ms`
}

/** Folds all at once. */
function folded(fold: Fold<unknown, unknown, unknown>, values: readonly unknown[]): { readonly value: unknown } | undefined {
  if (values.length === 0) return fold.empty === undefined ? undefined : { value: fold.result(fold.empty()) }
  let accumulator = fold.first(values[0])
  for (let index = 1; index < values.length; index += 1) accumulator = fold.add(accumulator, values[index])
  return { value: fold.result(accumulator) }
}
