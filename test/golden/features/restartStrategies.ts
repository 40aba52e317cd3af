import { chance } from '../../../laws/crashFsChoices.js'
import { ExponentialDelay } from '../../../lib/restart/exponentialDelay.js'
import { failureRatePolicy } from '../../../lib/restart/failureRate.js'
import { fixedDelayPolicy } from '../../../lib/restart/fixedDelay.js'
import type { RestartPolicy } from '../../../lib/restart/restartStrategy.js'
import { type Case, type Fields, unknown } from '../model.js'
import { play } from '../play.js'

/** So many strategies go through a case side by side, each with a chance of its own. */
const strategies = 400

/** What follows a failure, and after how long. */
export function restartStrategies(golden: Case): Promise<void> {
  const policies = Array.from({ length: strategies }, (_, seed) => policyOf(golden.config, chance(seed + 1)))
  const [first] = policies as [RestartPolicy]
  let nowMs = 1_000
  let newAttempt: boolean | undefined
  let canRestartBefore: boolean | undefined
  let thrown: unknown
  const delays = (): number[] => [...new Set(policies.map((policy) => policy.delayMs(nowMs)))].sort((a, b) => a - b)
  return play(golden, {
    apply({ op, by }) {
      switch (op) {
        case 'fail':
          canRestartBefore = first.canRestart(nowMs)
          for (const policy of policies) newAttempt = policy.failed(nowMs)
          return
        case 'advanceClock':
          nowMs += by
          return
        case 'getBackoff':
          try {
            first.delayMs(nowMs)
          } catch (error) {
            thrown = error
          }
          return
        default:
          throw unknown('operation of a restart strategy', op)
      }
    },
    answer(expected) {
      const answers: Fields = {
        backoff: () => (delays().length === 1 ? delays()[0] : delays()),
        backoffAtMost: () => Math.max(expected['backoffAtMost'], ...delays()),
        backoffOneOf: delays,
        canRestart: () => first.canRestart(nowMs),
        canRestartBefore: () => canRestartBefore,
        newAttempt: () => newAttempt,
        error: () => (thrown === undefined ? undefined : expected['error']),
      }
      const asked = Object.keys(expected).filter((name) => name !== 'after')
      return Object.fromEntries(
        asked.map((name) => {
          if (answers[name] === undefined) throw unknown('question to a restart strategy', name)
          return [name, answers[name]()]
        }),
      )
    },
  })
}

function policyOf(config: Fields, random: () => number): RestartPolicy {
  switch (config['type']) {
    case 'fixed-delay':
      return fixedDelayPolicy({ attempts: config['attempts'], delayMs: config['delay'] })
    case 'failure-rate':
      return failureRatePolicy({ failuresMax: config['maxFailuresPerInterval'], perMs: config['interval'], delayMs: config['delay'] })
    case 'exponential-delay':
      return new ExponentialDelay({
        initialMs: config['initialBackoff'],
        maxMs: config['maxBackoff'],
        multiplier: config['multiplier'],
        jitter: config['jitterFactor'],
        random,
        resetAfterMs: config['resetBackoffThreshold'],
        attempts: config['attemptsBeforeResetBackoff'],
      })
    default:
      throw unknown('restart strategy', config['type'])
  }
}
