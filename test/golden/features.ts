import { keyedState } from './features/keyedState.js'
import { asynchronous } from './features/async.js'
import { barriers } from './features/barriers.js'
import { joining } from './features/joining.js'
import { keyGroups } from './features/keyGroups.js'
import { processing } from './features/processing.js'
import { timerService } from './features/timerService.js'
import { timestampsAndWatermarks, watermarkIdleness, watermarkStrategy } from './features/watermarks.js'
import { watermarkValve } from './features/watermarkValve.js'
import { type Case, NotYet } from './model.js'

const windowing = (_golden: Case): void => {
  throw new NotYet('window')
}

/** Who runs the cases of which feature. */
export const features: { readonly [feature: string]: ((golden: Case) => void | Promise<void>) | undefined } = {
  'async-io': asynchronous,
  'barrier-alignment': barriers,
  boundaries: (golden) => (golden.config['assigner'] === undefined ? processing(golden) : windowing(golden)),
  'broadcast-state': processing,
  'co-process': processing,
  'interval-join': joining,
  'key-groups': keyGroups,
  'keyed-state': keyedState,
  'state-ttl': keyedState,
  'process-function': processing,
  'timer-service': timerService,
  'timers-and-state': processing,
  'timestamps-and-watermarks': timestampsAndWatermarks,
  'watermark-idleness': watermarkIdleness,
  'watermark-strategy': watermarkStrategy,
  'watermark-two-input': processing,
  'watermark-valve': watermarkValve,
}
