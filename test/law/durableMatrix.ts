import fc from 'fast-check'
import * as rx from 'rxjs'
import type { Law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { twinLaws } from '../../laws/twinLaws.js'
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

const numbers = fc.integer({ min: 0, max: 9 })
const mine = new Error('mine')
/** Fails now and then, as functions of users do. */
const failing = (n: number): number => {
  if (n === 9) throw mine
  return n
}
const weighted = (sum: number, n: number, index: number): number => sum + failing(n) * index

/** The twins of RxJS's operators. */
export const durableMatrix: { readonly [operator: string]: Entry } = {
  'durable/scan': [
    ...twinLaws<number, number>({ twin: () => scan('sum', weighted, 0), rxjs: () => rx.scan(weighted, 0), values: numbers }),
    ...twinLaws<number, number>({ twin: () => scan('unseeded', weighted), rxjs: () => rx.scan(weighted), values: numbers }),
    ...withAndWithoutKeys(scan('sum', (sum: number, { n }: Value, index: number) => sum + n * index, 0)),
    ...withAndWithoutKeys(scan('brief', { ttl: { afterMs: 20, time: 'event' } }, (sum: number, { n }: Value) => sum + n, 0)),
  ],
}
