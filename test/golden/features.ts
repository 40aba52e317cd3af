import { without } from './features/absent.js'
import { asynchronous } from './features/async.js'
import { barriers } from './features/barriers.js'
import { checkpointFailures } from './features/checkpointFailures.js'
import { checkpointCoordinator, completedCheckpointStore } from './features/coordinator.js'
import { fileSink } from './features/fileSink.js'
import { joining } from './features/joining.js'
import { keyedState } from './features/keyedState.js'
import { keyGroups } from './features/keyGroups.js'
import { keyGroupsMoved } from './features/keyGroupsMoved.js'
import { mergingWindowSet } from './features/mergingWindowSet.js'
import { multiplexer } from './features/multiplexer.js'
import { operatorState } from './features/operatorState.js'
import { processing } from './features/processing.js'
import { redistribution } from './features/redistribution.js'
import { restartStrategies } from './features/restartStrategies.js'
import { checkpointScheduling } from './features/scheduling.js'
import { schemaEvolution } from './features/schemaEvolution.js'
import { timerService } from './features/timerService.js'
import { triggers } from './features/triggers.js'
import { twoPhaseCommit } from './features/twoPhaseCommit.js'
import { unalignedBarriers } from './features/unalignedBarriers.js'
import { timestampsAndWatermarks, watermarkIdleness, watermarkStrategy } from './features/watermarks.js'
import { watermarkValve } from './features/watermarkValve.js'
import { windowAssigners } from './features/windowAssigners.js'
import { windowing } from './features/windowing.js'
import type { Case } from './model.js'

/** Who runs the cases of which feature. */
export const features: { readonly [feature: string]: ((golden: Case) => void | Promise<void>) | undefined } = {
  'async-io': asynchronous,
  'barrier-alignment': barriers,
  boundaries: (golden) => (golden.config['assigner'] === undefined ? processing(golden) : windowing(golden)),
  'broadcast-state': processing,
  'checkpoint-coordinator': checkpointCoordinator,
  'checkpoint-failures': checkpointFailures,
  'checkpoint-scheduling': checkpointScheduling,
  'co-process': processing,
  committer: without(
    'what was committed is told to a topology behind the committer: a sink is the end of its stream here, and the run tells when all is committed',
  ),
  'completed-checkpoint-store': completedCheckpointStore,
  'evicting-window': windowing,
  'file-sink': fileSink,
  'interval-join': joining,
  'key-groups': keyGroups,
  'keyed-state': keyedState,
  'keyed-state-rescale': keyGroupsMoved,
  'merging-window-set': mergingWindowSet,
  'operator-state': operatorState,
  'operator-state-redistribution': redistribution,
  'process-function': processing,
  rescaling: processing,
  'restart-strategy': restartStrategies,
  'schema-evolution': schemaEvolution,
  'state-ttl': keyedState,
  'timer-service': timerService,
  'timers-and-state': processing,
  'timestamps-and-watermarks': timestampsAndWatermarks,
  triggers,
  'two-phase-commit': twoPhaseCommit,
  'unaligned-checkpoints': unalignedBarriers,
  'watermark-idleness': watermarkIdleness,
  'watermark-multiplexer': multiplexer,
  'watermark-strategy': watermarkStrategy,
  'watermark-two-input': processing,
  'watermark-valve': watermarkValve,
  'window-assigner': windowAssigners,
  'window-operator': windowing,
}
