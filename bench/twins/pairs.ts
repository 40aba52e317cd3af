import type { OperatorFunction } from 'rxjs'
import * as rxjs from 'rxjs'
import type { AnyKeyOperator } from 'rxweir'
import * as durable from 'rxweir/durable'
import type { Reading } from '../readings.js'

/** An operator of RxJS, and its recoverable twin. */
export interface Pair {
  readonly rxjs: () => OperatorFunction<Reading, unknown>
  readonly twin: () => AnyKeyOperator<Reading, unknown>
}

const plus = (sum: number, { celsius }: Reading): number => sum + celsius
const below = ({ celsius }: Reading): boolean => celsius < 1_000
const warm = ({ celsius }: Reading): boolean => celsius > 0
const celsiusOf = ({ celsius }: Reading): number => celsius
const same = (before: boolean, now: boolean): boolean => before === now
/** More than there are: every value passes. */
const many = 1e9

/** Those that keep something between values. Each works without keys, and with keys as `groupBy` with the operator in each group. */
export const pairs: { readonly [name: string]: Pair } = {
  scan: { rxjs: () => rxjs.scan(plus, 0), twin: () => durable.scan('twin', plus, 0) },
  reduce: { rxjs: () => rxjs.reduce(plus, 0), twin: () => durable.reduce('twin', plus, 0) },
  count: { rxjs: () => rxjs.count(warm), twin: () => durable.count('twin', warm) },
  distinct: { rxjs: () => rxjs.distinct(celsiusOf), twin: () => durable.distinct('twin', celsiusOf) },
  distinctUntilChanged: {
    rxjs: () => rxjs.distinctUntilChanged(same, warm),
    twin: () => durable.distinctUntilChanged('twin', same, warm),
  },
  pairwise: { rxjs: () => rxjs.pairwise(), twin: () => durable.pairwise<Reading>('twin') },
  bufferCount: { rxjs: () => rxjs.bufferCount(10), twin: () => durable.bufferCount<Reading>('twin', 10) },
  take: { rxjs: () => rxjs.take(many), twin: () => durable.take<Reading>('twin', many) },
  skip: { rxjs: () => rxjs.skip(10), twin: () => durable.skip<Reading>('twin', 10) },
  takeWhile: { rxjs: () => rxjs.takeWhile(below), twin: () => durable.takeWhile<Reading>('twin', below) },
}
