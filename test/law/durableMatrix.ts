import fc from 'fast-check'
import type { Law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { scan } from '../../operators/durable/scan.js'
import type { Entry } from './entry.js'

interface Value {
  readonly key: string
  readonly n: number
  readonly at: number
}

const values = fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 9 }), at: fc.integer({ min: 0, max: 200 }) })
const key = ({ key }: Value): string => key
const timestamp = ({ at }: Value): number => at

/** The laws of an operator, on a stream with keys and on one without. */
const withAndWithoutKeys = (apply: unknown): readonly Law[] => [
  ...operatorLaws<Value>({ apply: apply as OperatorUnderLaw<Value>['apply'], values, key, timestamp }),
  ...operatorLaws<Value>({ apply: apply as OperatorUnderLaw<Value>['apply'], values, timestamp }),
]

/** The twins of RxJS's operators. */
export const durableMatrix: { readonly [operator: string]: Entry } = {
  'durable/scan': [
    ...withAndWithoutKeys(scan('sum', (sum: number, { n }: Value, index: number) => sum + n * index, 0)),
    ...withAndWithoutKeys(scan('brief', { ttl: { afterMs: 20, time: 'event' } }, (sum: number, { n }: Value) => sum + n, 0)),
  ],
}
