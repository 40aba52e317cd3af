import * as t from 'io-ts'
import {
  type AnyStream,
  assignTimestamps,
  boundedOutOfOrderness,
  connectBroadcast,
  emits,
  intervalJoin,
  type JobScope,
  keyBy,
  mean,
  processKeyed,
  sliding,
  tumbling,
  valueState,
  window,
} from 'rxweir'
import type { Course } from '../course.js'
import { courseSource, type Pieces } from '../courseSource.js'
import { halves } from '../halves.js'
import { RuledCourse, ruled } from '../ruled.js'
import { noSum, running } from '../steps.js'
import { delayMs, TimedCourse, type TimedReading } from '../timedCourse.js'
import { minuteMs, tenthsOf, windowMs } from './eventTimeLoops.js'
import { apartMs, warmerBy } from './joinLoop.js'

type Source = JobScope['source']
type TimedShape = (source: Source, course: Course) => AnyStream<number>

const sumState = t.type({ sum: t.number, count: t.number })

/** A stream of timed readings, by device. */
const timedSource = (source: Source, uid: string, timed: TimedCourse, pieces: Pieces<TimedReading> = timed) =>
  source(uid, courseSource(pieces)).pipe(
    assignTimestamps({ timestamp: (reading) => timed.atMs(reading), watermarks: boundedOutOfOrderness({ delayMs }) }),
    keyBy(({ device }) => device),
  )

/** The mean in tenths, rounded. */
const meanTenths = {
  ...mean(({ celsius }: TimedReading) => celsius),
  result: tenthsOf,
}

/** A sum, and a timer at the end of the minute of each reading that tells it and forgets it. */
const byTimers = processKeyed(
  'by-timers',
  { state: { sum: valueState(sumState) }, emits: emits<number>() },
  {
    onRecord({ celsius }: TimedReading, { state, timers, timestamp = 0 }) {
      const { sum, count } = state.sum.value() ?? noSum
      state.sum.update({ sum: sum + celsius, count: count + 1 })
      timers.eventTime(timestamp - (timestamp % minuteMs) + minuteMs - 1)
    },
    onTimer(_at, { state, emit }) {
      const sum = state.sum.value()
      if (sum === undefined) return
      emit(tenthsOf(sum))
      state.sum.clear()
    },
  },
)

export const timedShapes: { readonly [name: string]: TimedShape } = {
  windows: (source, course) =>
    timedSource(source, 'readings', new TimedCourse(course)).pipe(
      window('minutes', { assigner: tumbling({ sizeMs: minuteMs }), aggregate: meanTenths, state: sumState }),
    ),
  sliding: (source, course) =>
    timedSource(source, 'readings', new TimedCourse(course)).pipe(
      window('ten-minutes', { assigner: sliding({ sizeMs: windowMs, slideMs: minuteMs }), aggregate: meanTenths, state: sumState }),
    ),
  timers: (source, course) => timedSource(source, 'readings', new TimedCourse(course)).pipe(byTimers),
  joins: (source, course) => {
    const timed = new TimedCourse(course)
    const [first, second] = halves(timed)
    return timedSource(source, 'first', timed, first).pipe(
      intervalJoin('warmer', timedSource(source, 'second', timed, second), { lowerMs: -apartMs, upperMs: apartMs }, warmerBy),
    )
  },
  broadcast: (source, course) => {
    const { readings, rules } = ruled(new RuledCourse(course))
    return source('readings', courseSource(readings)).pipe(
      keyBy(({ device }) => device),
      connectBroadcast(
        'ruled',
        source('rules', courseSource(rules)),
        {
          broadcast: { leastCelsius: valueState(t.number, { initial: 0 }) },
          state: { sum: valueState(sumState, { initial: noSum }) },
          emits: emits<number>(),
        },
        {
          onBroadcast({ leastCelsius }, { broadcast }) {
            broadcast.leastCelsius.update(leastCelsius)
          },
          onRecord(reading, { broadcast, state, emit }) {
            if (reading.celsius < broadcast.leastCelsius.value()) return
            const [next, result] = running(state.sum.value(), reading)
            state.sum.update(next)
            emit(result)
          },
        },
      ),
    )
  },
}
