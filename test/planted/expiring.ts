import fc from 'fast-check'
import * as t from 'io-ts'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { emits, valueState } from '../../lib/index.js'
import { processKeyed } from '../../operators/processKeyed.js'

interface Value {
  readonly key: string
  readonly at: number
}

/** Answers each record with the one before it, as long as that is not older than its time to live. */
const remembering = processKeyed(
  'remembering',
  { state: { last: valueState(t.number, { ttl: { afterMs: 5, time: 'event' } }) }, emits: emits<number>() },
  {
    onRecord({ at }: Value, { state, emit }) {
      emit(state.last.value() ?? -1)
      state.last.update(at)
    },
  },
)

/** What expires goes on expiring after a restore, at the same moment. */
export const lawsOfExpiry = operatorLaws<Value>({
  apply: remembering as unknown as OperatorUnderLaw<Value>['apply'],
  values: fc.record({ key: fc.constant('a'), at: fc.nat({ max: 60 }) }),
  key: ({ key }) => key,
  timestamp: ({ at }) => at,
}).filter(({ name }) => name === 'restore-equivalence')
