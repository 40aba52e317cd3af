import { either } from 'fp-ts'
import * as t from 'io-ts'
import { BackendError } from '../errors.js'
import type { KeyValueReads } from '../ports/keyValueStore.js'
import { headPlace } from './places.js'
import { sealedText, unsealedJson } from './sealed.js'

const format = 1

const Record = t.type({
  format: t.literal(format),
  job: t.string,
  epoch: t.number,
  /** Counts takeovers and publishes. */
  seq: t.number,
  /** The generation of the newest checkpoint, in which the next one writes. */
  generation: t.number,
  /** The one that a whole checkpoint gets next. None is given twice. */
  generationNext: t.number,
  /** The tables by number: number 0 comes first. */
  tables: t.array(t.tuple([t.string, t.string])),
  /** The numbers of those of which the generation has an index; none unless told. */
  indexed: t.union([t.undefined, t.array(t.number)]),
  /** Oldest first; how many rows each has. */
  checkpoints: t.array(t.type({ id: t.number, epoch: t.number, generation: t.number, rows: t.number })),
})

/** Who writes, and what is kept: the one record that makes rows a checkpoint. */
export type Head = Omit<t.TypeOf<typeof Record>, 'format'>
export type ListedCheckpoint = Head['checkpoints'][number]

/** What stands for the head where nobody has taken over yet. */
export const noHead = (job: string): Head => ({
  job,
  epoch: 0,
  seq: 0,
  generation: 0,
  generationNext: 0,
  tables: [],
  indexed: undefined,
  checkpoints: [],
})

export const encodeHead = (head: Head): Uint8Array => sealedText(JSON.stringify({ format, ...head }))

export async function readHead(at: KeyValueReads, job: string): Promise<Head> {
  const [value] = await at.get([headPlace])
  if (value === undefined) return noHead(job)
  const stored = unsealedJson(value, 'the head') as { readonly format?: unknown } | null
  if (typeof stored?.format === 'number' && stored.format > format)
    throw new BackendError('FORMAT_NEWER', { what: 'the head', found: stored.format, supported: format })
  const decoded = Record.decode(stored)
  if (either.isLeft(decoded)) throw new BackendError('SNAPSHOT_CORRUPT', { what: 'the head', reason: 'it is not as it should be' })
  if (decoded.right.job !== job) throw new BackendError('BACKEND_NOT_OWNED', { expected: job, found: decoded.right.job })
  return decoded.right
}

/** The number of a table, and the tables with it. */
export function tableNumber(tables: Head['tables'], uid: string, table: string): { readonly number: number; readonly tables: Head['tables'] } {
  const known = tables.findIndex((name) => name[0] === uid && name[1] === table)
  return known >= 0 ? { number: known, tables } : { number: tables.length, tables: [...tables, [uid, table]] }
}
