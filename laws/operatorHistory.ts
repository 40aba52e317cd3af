import fc from 'fast-check'
import { encodeKey, type Key } from '../lib/key.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import type { Left, OperatorRun } from './operatorRun.js'

/** One thing that arrives at an operator. */
export type OperatorStep<T> =
  | { readonly kind: 'record'; readonly value: T }
  /** Event time goes on by so much. */
  | { readonly kind: 'watermark'; readonly byMs: number }
  | { readonly kind: 'idle'; readonly idle: boolean }
  | { readonly kind: 'barrier' }

/** Records, event time, idleness and barriers, in any order. */
export const operatorHistory = <T>(values: fc.Arbitrary<T>, maxLength = 40): fc.Arbitrary<readonly OperatorStep<T>[]> =>
  shortOrLong(
    fc.oneof<fc.WeightedArbitrary<OperatorStep<T>>[]>(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('record' as const), value: values }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('watermark' as const), byMs: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 3, arbitrary: fc.constant({ kind: 'barrier' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('idle' as const), idle: fc.boolean() }) },
    ),
    { maxLength },
  )

export interface Feeding<T> {
  readonly key?: ((value: T) => Key) | undefined
  readonly timestamp?: ((value: T) => number) | undefined
  readonly inputs?: number | undefined
  readonly inputOf?: ((value: T) => number) | undefined
}

/** How far a history has gone: a run that is restored goes on from here. */
export interface Position {
  readonly watermarkMs: number
  readonly barriers: number
  readonly idle: boolean
}

export const atStart: Position = { watermarkMs: 0, barriers: 0, idle: false }

/** Feeds steps; answers how far it came. */
export function feed<T>(
  run: OperatorRun,
  steps: readonly OperatorStep<T>[],
  { key, timestamp, inputs = 1, inputOf }: Feeding<T>,
  from: Position = atStart,
): Position {
  let { watermarkMs, barriers, idle } = from
  const atAll = (arrive: (input: number) => void): void => {
    for (let input = 0; input < inputs; input += 1) arrive(input)
  }
  for (const step of steps) {
    switch (step.kind) {
      case 'record':
        run.record(step.value, timestamp?.(step.value), key?.(step.value), inputOf?.(step.value))
        break
      case 'watermark':
        watermarkMs += step.byMs
        atAll((input) => run.watermark(watermarkMs, input))
        break
      case 'idle':
        // An input tells of a change only.
        if (step.idle !== idle) atAll((input) => run.idle(step.idle, input))
        idle = step.idle
        break
      case 'barrier':
        barriers += 1
        atAll((input) => run.barrier(barriers, input))
    }
  }
  return { watermarkMs, barriers, idle }
}

export const withoutBarriers = (left: readonly Left[]): readonly string[] => left.filter(({ kind }) => kind !== 'barrier').map(told)
export const told = ({ output, text }: Left): string => `${output}: ${text}`

/** The same, with neighbouring records of several keys in the order of their keys: between keys nothing promises an order. */
export function keyByKey(left: readonly Left[]): readonly string[] {
  const found: string[] = []
  let records: { readonly key: string; readonly text: string }[] = []
  const flush = (): void => {
    for (const { text } of records.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) found.push(text)
    records = []
  }
  for (const each of left) {
    if (each.kind === 'record') records.push({ key: `${each.output} ${each.key === undefined ? '' : encodeKey(each.key as Key)}`, text: told(each) })
    else {
      flush()
      found.push(told(each))
    }
  }
  flush()
  return found
}
