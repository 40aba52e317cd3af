import { sideOutput } from '../../lib/sideOutput.js'
import type { Assigner } from '../../lib/window/assigner.js'
import { continuousEventTime } from '../../lib/window/continuousEventTime.js'
import { continuousProcessingTime } from '../../lib/window/continuousProcessingTime.js'
import { countEvictor } from '../../lib/window/countEvictor.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { deltaEvictor } from '../../lib/window/deltaEvictor.js'
import { deltaTrigger } from '../../lib/window/deltaTrigger.js'
import { endOfStreamTrigger } from '../../lib/window/endOfStreamTrigger.js'
import { eventTimeTrigger } from '../../lib/window/eventTimeTrigger.js'
import type { Evictor } from '../../lib/window/evictor.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { neverTrigger } from '../../lib/window/neverTrigger.js'
import { processingTimeout } from '../../lib/window/processingTimeout.js'
import { processingTimeTrigger } from '../../lib/window/processingTimeTrigger.js'
import { purging } from '../../lib/window/purging.js'
import { session } from '../../lib/window/session.js'
import { sliding } from '../../lib/window/sliding.js'
import { timeEvictor } from '../../lib/window/timeEvictor.js'
import { timeWindow } from '../../lib/window/timeWindow.js'
import type { Trigger } from '../../lib/window/trigger.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { type Fields, Unsupported, unknown } from './model.js'

/** The parts of windows, as cases describe them. */
export function assignerOf(config: Fields): Assigner<any> {
  const { type, time = 'event', size, slide, offset = 0, gap, gapFn, stagger } = config
  if (stagger !== undefined && stagger !== 'ALIGNED')
    throw new Unsupported('windows are not staggered: that spreads the load of many instances, and their borders would depend on the machine')
  switch (type) {
    case 'tumbling':
      return tumbling({ sizeMs: size, offsetMs: offset, time })
    case 'sliding':
      return sliding({ sizeMs: size, slideMs: slide, offsetMs: offset, time })
    case 'session':
      return session({ gapMs: gap, time })
    case 'dynamicSession':
      return session({ gapOf: gapBy(gapFn), time })
    case 'pointSession': {
      // A record whose second part is 33 is a point in time, any other begins a session.
      const around = session<any>({ gapMs: gap ?? 3_000, time })
      return {
        ...around,
        assign: (value, timeMs) => (value[1] === (config['pointValue'] ?? 33) ? [timeWindow(timeMs, timeMs)] : around.assign(value, timeMs)),
      }
    }
    case 'global':
      return globalWindow()
    default:
      throw unknown('assigner', config)
  }
}

/** A gap by rules: the first one whose parts are those of the value. */
function gapBy(gapFn: Fields | undefined): (value: any) => number {
  const rules = gapFn?.['rules'] as readonly Fields[] | undefined
  if (rules === undefined) throw unknown('gap function', gapFn)
  return (value) => {
    const rule = rules.find(({ if: parts = {} }) => Object.entries(parts as Fields).every(([at, wanted]) => value[at] === wanted))
    return rule?.['gap'] as number
  }
}

export function triggerOf(config: Fields): Trigger<any, any> {
  const { type, max, interval, nested } = config
  switch (type) {
    case 'eventTime':
      return eventTimeTrigger()
    case 'processingTime':
      return processingTimeTrigger()
    case 'count':
      return countTrigger(max)
    case 'continuousEventTime':
      return continuousEventTime(interval)
    case 'continuousProcessingTime':
      return continuousProcessingTime(interval)
    case 'purging':
      return purging(triggerOf(nested))
    case 'endOfStream':
      return endOfStreamTrigger()
    case 'never':
      return neverTrigger()
    case 'processingTimeout':
      return processingTimeout(triggerOf(nested), {
        afterMs: interval,
        resetOnElement: config['resetTimerOnNewRecord'] === true,
        clearOnTimeout: config['shouldClearOnTimeout'] !== false,
      })
    case 'delta':
      return deltaTrigger<any>({ threshold: config['threshold'], delta: deltaOf(config['delta']) })
    case 'custom':
      return customTrigger(config)
    default:
      throw unknown('trigger', config)
  }
}

/** Triggers of users, by name. */
function customTrigger({ name, cleanupTime }: Fields): Trigger {
  switch (name) {
    case 'eventTimeAccumGC':
      return {
        onElement(_value, _timestamp, { lastMs }, { timers }) {
          if (lastMs <= timers.watermark) return 'fire'
          timers.eventTime(lastMs)
          return 'continue'
        },
        onEventTime: (atMs, { lastMs }) => (atMs === lastMs || atMs === lastMs + cleanupTime ? 'fireAndPurge' : 'continue'),
        onMerge: ({ lastMs }, { timers }) => timers.eventTime(lastMs),
        clear: ({ lastMs }, { timers }) => timers.deleteEventTime(lastMs),
      }
    case 'fireAlways':
      return { onElement: () => 'fire', onEventTime: () => 'fire', onProcessingTime: () => 'fire', onMerge() {} }
    default:
      throw unknown('trigger of a user', name)
  }
}

export function evictorOf(config: Fields): Evictor<any> {
  const { type, max, size, threshold, delta, evictAfter } = config
  const when = { when: evictAfter === true ? 'after' : 'before' } as const
  switch (type) {
    case 'count':
      return countEvictor(max, when)
    case 'time':
      return timeEvictor(size, when)
    case 'delta':
      return deltaEvictor<any>({ threshold, delta: deltaOf(delta), ...when })
    default:
      throw unknown('evictor', config)
  }
}

function deltaOf(written: unknown): (before: any, now: any) => number {
  if (/^(delta\(old, ?new\) = )?new\.value\[1\] - old\.value\[1\]$/.test(String(written))) return (before, now) => now[1] - before[1]
  throw unknown('delta function', written)
}

/** Unless a case says otherwise, pairs of a key and a number are summed. */
const reduceOf = (written: unknown = '(a,b) => [b[0], a[1]+b[1]]'): ((a: any, b: any) => any) => {
  if (String(written).replace(/ /g, '') === '(a,b)=>[b[0],a[1]+b[1]]') return (a, b) => [b[0], a[1] + b[1]]
  throw unknown('reduce function', written)
}

const sum = (values: readonly any[]): number => values.reduce((total: number, value) => total + value[1], 0)

type Emit = (value: unknown) => void
type View = { readonly key: unknown; readonly start: number; readonly end: number }

/** What a window emits, by name or in words. */
const functions: { readonly [name: string]: ((values: readonly any[], window: View, emit: Emit) => void) | undefined } = {
  passThrough: (values, _window, emit) => {
    for (const value of values) emit(value)
  },
  sumPerKey: (values, { key }, emit) => emit([key, sum(values)]),
  sessionSum: (values, { key, start, end }, emit) => emit([`${key}-${sum(values)}`, start, end]),
  reduceSumThenPassThrough: (values, _window, emit) => emit(values.reduce((a, b) => [b[0], a[1] + b[1]])),
  empty() {},
  joinedString: (values, _window, emit) => emit(`GOT: ${values.map((value) => `(${value.join(',')})`).join(',')}`),
  'value is an integer; emit [window.start, window.end, sum(values)]': (values, { start, end }, emit) =>
    emit([start, end, values.reduce((a, b) => a + b, 0)]),
}

/** The options of a window operator; `plain` leaves the trigger of the assigner unsaid, where it is the one that is wanted. */
export function windowOptions(config: Fields, plain: boolean): Fields {
  const { trigger, evictor, allowedLateness = 0, lateSideOutput, state, reduce, fn } = config
  const assigner = assignerOf(config['assigner'])
  const name = typeof fn === 'string' ? fn : fn?.doc
  const show = functions[name]
  if (show === undefined) throw unknown('window function', name)
  const reducing = state === 'reducing'
  if (state !== undefined && state !== 'list' && !reducing) throw unknown('state of windows', state)
  return {
    assigner,
    allowedLatenessMs: allowedLateness,
    ...(plain || trigger === undefined ? {} : { trigger: triggerOf(trigger) }),
    ...(evictor === undefined ? {} : { evictor: evictorOf(evictor) }),
    ...(lateSideOutput === undefined ? {} : { late: sideOutput(lateSideOutput) }),
    ...(reducing && name !== 'empty' ? reducingOptions(reduceOf(reduce), show, name) : { process: show }),
  }
}

/** A function over the one value of a reducing window. */
function reducingOptions(reduce: (a: any, b: any) => any, show: NonNullable<(typeof functions)[string]>, name: string): Fields {
  if (name === 'passThrough') return { reduce }
  return {
    reduce,
    result(reduced: unknown, view: View) {
      let shown: unknown
      show([reduced], view, (value) => {
        shown = value
      })
      return shown
    },
  }
}

/** Whether the trigger is the one that the assigner brings along, so that it may be left unsaid. */
export const isDefaultTrigger = ({ trigger, assigner }: Fields): boolean => {
  const { type, time = 'event' } = assigner as Fields
  return type !== 'global' && trigger?.type === (time === 'event' ? 'eventTime' : 'processingTime')
}
