import { sideOutput } from '../../../lib/sideOutput.js'
import type { RowStore } from '../../../lib/state/rowStore.js'
import { intervalJoin } from '../../../operators/intervalJoin.js'
import { keyBy } from '../../../operators/keyBy.js'
import { type Case, type Fields, knownOptions } from '../model.js'
import { keyOf, stream, tagsOf } from '../streaming.js'
import { asked } from './watermarkValve.js'

/** Pairs of records of one key whose event times are near each other. */
export function joining(golden: Case): Promise<void> {
  knownOptions(golden, ['operator', 'keyBy', 'lower', 'upper', 'lowerInclusive', 'upperInclusive', 'leftLateSideOutput', 'rightLateSideOutput'])
  const { lower, upper, lowerInclusive, upperInclusive, leftLateSideOutput, rightLateSideOutput } = golden.config
  const late = (name: string, tag: string | undefined): Fields => (tag === undefined ? {} : { [name]: sideOutput<any>(tag) })
  const key = keyBy(keyOf(golden.config['keyBy']))
  return stream(golden, {
    inputs: 2,
    tags: tagsOf(golden),
    build: ([first, second]) =>
      (first as any).pipe(
        key,
        intervalJoin(
          'under-test',
          (second as any).pipe(key),
          {
            lowerMs: lower,
            upperMs: upper,
            lowerExclusive: lowerInclusive === false,
            upperExclusive: upperInclusive === false,
            ...late('lateFirst', leftLateSideOutput),
            ...late('lateSecond', rightLateSideOutput),
          },
          (left, right) => [left, right],
        ),
      ),
    answer(expected, tables) {
      if (expected['kind'] !== 'assert') return undefined
      return asked(expected, { leftBufferTimestamps: timesIn('first', tables), rightBufferTimestamps: timesIn('second', tables) })
    },
  })
}

const timesIn = (name: string, tables: readonly RowStore<unknown>[]): number[] =>
  tables
    .filter((table) => table.name === name)
    .flatMap((table) => [...table.rows()].map(({ entry }) => entry as number))
    .sort((a, b) => a - b)
