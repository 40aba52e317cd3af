import { ConfigurationError } from '../errors.js'
import { operatorUid } from '../identity.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { formatOf, type StateFormat } from './stateFormat.js'
import type { NewRow, RowOf } from './stateRow.js'

/** What becomes of one state in a savepoint that is written: {@link newRows}, {@link changedRows} or {@link newTimers} make it. */
export interface StatePart {
  readonly uid: string
  readonly state: string
}

/** Any row to be written. */
export interface AnyNewRow {
  readonly key: Key
  readonly value: unknown
  readonly namespace?: Key | undefined
  readonly entry?: unknown
  readonly touchedMs?: number | undefined
}

export interface Addition extends StatePart {
  readonly kind: 'new'
  /** The name of the state in its rows, where that is another than the table's. */
  readonly cell: string
  readonly own: Json | undefined
  readonly format: StateFormat
  readonly rows: Iterable<AnyNewRow> | AsyncIterable<AnyNewRow>
}

export interface Change extends StatePart {
  readonly kind: 'changed'
  readonly format: StateFormat
  change(row: unknown): AnyNewRow | readonly AnyNewRow[] | undefined
}

export const partOf = (part: StatePart): Addition | Change => part as Addition | Change

/** Operators with one state of their own call their table and what it holds by names of their own. */
const cellNames: { readonly [table: string]: string } = {
  rows: 'state',
  windows: 'accumulator',
  slices: 'accumulator',
  elements: 'element',
  eventTimers: 'timer',
  processingTimers: 'timer',
}

/**
 * State to begin with, made of data.
 *
 * Flink's bootstrapping. The operator need not have been there before. The one state of `statefulMap` and `statefulFlatMap` is called
 * `rows`; of the broadcast side `broadcast:` stands before the name. State without a key has the key `null`.
 *
 * @param state - its name
 * @param descriptor - what it looks like in the program
 * @param rows - each asked for once; of two at one place the later counts
 * @param options - `own`: what the operator keeps beside rows (`true` lets `processUnkeyed` know that it is restored); `cell`: for an operator of your own, what its
 *   table calls its state, where that is not the table's name
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @category checkpoints
 * @since 0.2.0
 */
export function newRows<D extends StateDescriptor>(
  uid: string,
  state: string,
  descriptor: D,
  rows: Iterable<NewRow<D>> | AsyncIterable<NewRow<D>>,
  options: { readonly cell?: string; readonly own?: Json } = {},
): StatePart {
  requireState(state)
  const format = formatOf(descriptor, operatorUid(uid), state)
  const { cell = cellNames[state] ?? state.replace(/^broadcast:/, ''), own } = options
  const part: Addition = { kind: 'new', uid, state, cell, own, format, rows: rows as Iterable<AnyNewRow> }
  return part
}

/**
 * State of the savepoint that is read, changed row by row.
 *
 * @param change - pure; called once for each row: what takes its place, several, or nothing where it goes. A key may change; of two
 *   rows that come to one place either may be the one that stays
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @category checkpoints
 * @since 0.2.0
 */
export function changedRows<D extends StateDescriptor>(
  uid: string,
  state: string,
  descriptor: D,
  change: (row: RowOf<D>) => NewRow<D> | readonly NewRow<D>[] | undefined,
): StatePart {
  requireState(state)
  const format = formatOf(descriptor, operatorUid(uid), state)
  const part: Change = { kind: 'changed', uid, state, format, change: change as unknown as Change['change'] }
  return part
}

function requireState(state: string): void {
  if (typeof state !== 'string' || state === '')
    throw new ConfigurationError('OPTION_INVALID', { option: 'state', found: state, expected: 'the name of a state' })
}
