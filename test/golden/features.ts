import { keyedState } from './features/keyedState.js'
import { keyGroups } from './features/keyGroups.js'
import { timerService } from './features/timerService.js'
import { watermarkValve } from './features/watermarkValve.js'
import type { Case } from './model.js'

/** Who runs the cases of which feature. */
export const features: { readonly [feature: string]: ((golden: Case) => void | Promise<void>) | undefined } = {
  'key-groups': keyGroups,
  'keyed-state': keyedState,
  'state-ttl': keyedState,
  'timer-service': timerService,
  'watermark-valve': watermarkValve,
}
