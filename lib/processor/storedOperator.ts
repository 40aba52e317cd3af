/** What a checkpoint says of its operators beside their rows, as a reader shows it. */
import type { CheckpointBody } from '../checkpointBody.js'
import { BackendError } from '../errors.js'
import type { Json } from '../json.js'
import type { OperatorMeta } from '../restore/mergedBody.js'
import { timeStored } from '../storedTime.js'

/** Where a source stood. */
export interface StoredSource {
  readonly uid: string
  readonly offset: Json
  /** It had said that it has no more. */
  readonly finished: boolean
}

/** One table of an operator: a state that its program has named, timers, or what the operator keeps for itself. */
export interface StoredState {
  /** By this it is asked for. */
  readonly name: string
  /** What cells its rows may have, by their numbers. */
  readonly cells: readonly string[]
}

export interface StoredOperator {
  readonly uid: string
  readonly kind: 'operator' | 'sink'
  /** Its uid comes from its place: what it has may be missing at a restore. */
  readonly derived: boolean
  readonly states: readonly StoredState[]
  /** The event time that it had reached; `-Infinity` at first. */
  readonly watermark: number
  /** It had processed the end of its input. */
  readonly ended: boolean
  /** So many records and watermarks were on their way into it. */
  readonly inFlight: number
  /** What it keeps beside rows, in a form of its own. */
  readonly own: Json | undefined
}

/** A transaction of a sink that is decided, and not yet known to be committed. */
export interface StoredTransaction {
  readonly uid: string
  readonly checkpointId: number
  readonly epoch: number
  /** What commits it, in a form of the sink's. */
  readonly handle: Json
}

export const sourcesOf = ({ sources }: CheckpointBody): readonly StoredSource[] =>
  Object.entries(sources).map(([uid, { offset, finished }]) => ({ uid, offset, finished }))

export const transactionsOf = ({ sinks }: CheckpointBody): readonly StoredTransaction[] =>
  Object.entries(sinks).flatMap(([uid, pending]) => pending.map((transaction) => ({ uid, ...transaction })))

export const operatorsOf = (body: CheckpointBody): readonly StoredOperator[] =>
  Object.entries(body.operators).map(([uid, { derived, meta }]) => {
    const { time, ended, tables, inFlight, state } = metaOf(uid, meta)
    return {
      uid,
      kind: uid in body.sinks ? 'sink' : 'operator',
      derived,
      states: Object.entries(tables).map(([name, table]) => ({ name, cells: cellsOf(uid, name, table) })),
      watermark: timeStored(time[0]),
      ended,
      inFlight: ((inFlight as { readonly elements?: readonly unknown[] } | undefined)?.elements ?? []).length,
      own: state,
    }
  })

/** What the shell of an operator has stored, checked as far as it is read here. */
export function metaOf(uid: string, stored: Json): OperatorMeta {
  const meta = stored as Partial<OperatorMeta> | null
  if (!Array.isArray(meta?.time) || typeof meta.tables !== 'object' || meta.tables === null)
    throw new BackendError('SNAPSHOT_CORRUPT', { uid, what: 'the state of an operator beside its rows' })
  return meta as OperatorMeta
}

function cellsOf(uid: string, table: string, stored: Json): readonly string[] {
  const { states } = stored as { readonly states?: unknown }
  if (!Array.isArray(states) || !states.every((name) => typeof name === 'string'))
    throw new BackendError('SNAPSHOT_CORRUPT', { uid, table, reason: 'the names of its states are missing' })
  return states as string[]
}
