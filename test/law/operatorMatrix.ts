import fc from 'fast-check'
import * as t from 'io-ts'
import { filter, map } from 'rxjs'
import { junctionLaws } from '../../laws/junctionLaws.js'
import type { Law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import type { Stream } from '../../lib/element.js'
import { countRecords, tumbling } from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { filterValues } from '../../operators/filterValues.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { keyBy } from '../../operators/keyBy.js'
import { lift } from '../../operators/lift.js'
import { mapValues } from '../../operators/mapValues.js'
import { sideOutput } from '../../operators/sideOutput.js'
import { statefulFlatMap } from '../../operators/statefulFlatMap.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { windowBy } from '../../operators/windowBy.js'

/** The laws of one operator, or why it has none of its own. */
export type Entry = readonly Law[] | { readonly none: string }

interface Value {
  readonly key: string
  readonly n: number
  readonly at: number
}

const values = fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 9 }), at: fc.integer({ min: 0, max: 200 }) })
const key = ({ key }: Value): string => key
const timestamp = ({ at }: Value): number => at
const stateless = (apply: OperatorUnderLaw<Value>['apply']): readonly Law[] => operatorLaws({ apply, values, timestamp })
const late = sideOutput<Value>('late')
const windows = (operator: typeof window): readonly Law[] =>
  operatorLaws({
    apply: operator('counts', {
      assigner: tumbling({ sizeMs: 20 }),
      allowedLatenessMs: 7,
      late,
      aggregate: countRecords(),
      result: (count, { key: of, start }) => [of, start, count],
    }) as never,
    values,
    key,
    timestamp,
    sides: [late as never],
  })

/** Every operator of `operators/`, by the name of its file. */
export const operatorMatrix: { readonly [operator: string]: Entry } = {
  assignTimestamps: operatorLaws({ apply: assignTimestamps({ timestamp, watermarks: boundedOutOfOrderness({ delayMs: 10 }) }), values }),
  collect: { none: 'it ends an element stream: nothing of a run leaves it' },
  filterValues: stateless(filterValues(({ n }) => n % 2 === 0)),
  flatMapValues: stateless(flatMapValues(({ n }) => Array.from({ length: n % 3 }, (_, index) => n + index))),
  fromSide: { none: 'it is an output of another operator: the laws of window look at it' },
  keyBy: operatorLaws<Value, never>({ apply: (source) => keyBy(key)(source as never), values, timestamp }),
  lift: stateless(
    lift(
      map(({ n }: Value) => n * 10),
      filter((n) => n > 20),
    ),
  ),
  mapValues: stateless(mapValues(({ n }) => n + 1)),
  records: { none: 'it opens a stream of its own, which has no barriers' },
  sideOutput: { none: 'it names an output' },
  sink: [recoveryEquivalence((input: Stream<Value>) => input, fc.array(values), { order: 'exact' })],
  statefulFlatMap: operatorLaws({
    apply: statefulFlatMap('pairs', { state: t.array(t.number) }, (held, { n }: Value) =>
      held !== undefined && held.length === 1 ? [undefined, [[...held, n]]] : [[...(held ?? []), n], []],
    ),
    values,
    key,
  }),
  statefulMap: operatorLaws({
    apply: statefulMap('sum', { state: t.number, initial: 0 }, (sum, { n }: Value) => [sum + n === 7 ? undefined : sum + n, sum + n]),
    values,
    key,
    timestamp,
  }),
  tapValues: stateless(tapValues(() => {})),
  union: junctionLaws({ apply: ([first, ...others]) => union(...others)(first as never), inputs: 3 }),
  values: { none: 'it ends an element stream: nothing of a run leaves it' },
  window: windows(window),
  windowBy: windows(windowBy),
}
