import type { TimeDomain } from '../state/timers.js'
import { eventTimeTrigger } from './eventTimeTrigger.js'
import { processingTimeTrigger } from './processingTimeTrigger.js'
import type { Trigger } from './trigger.js'

// One object each: an operator sees from it that nobody asked for another.
const byEventTime = eventTimeTrigger()
const byProcessingTime = processingTimeTrigger()

/** When windows of a clock emit, unless an operator is told otherwise. */
export const defaultTrigger = (time: TimeDomain): Trigger => (time === 'event' ? byEventTime : byProcessingTime)
