/**
 * A savepoint as lines of JSON: what stands beside the rows first, then a line for each row. They can be read, searched and changed by
 * other programs, and be made a savepoint again.
 *
 *     {"rxweir":1,"job":…,"checkpointId":…,"epoch":…,"body":…}
 *     {"uid":…,"state":…,"key":…,"namespace":…,"entry":…,"value":…,"version":…,"touchedMs":…,"foreign":…}
 *
 * Keys and values have tags for what JSON cannot say (taggedJson.ts). A codec with a text of its own has `text` in the place of `value`.
 */
import { fromBase64, toBase64 } from '../base64.js'
import { bodyToStore, type CheckpointBody, readBody } from '../checkpointBody.js'
import { BackendError, InvariantViolation } from '../errors.js'
import { checkpointId, epoch, jobName, operatorUid } from '../identity.js'
import type { Json } from '../json.js'
import { type Key, normalKey } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { CheckpointStorage, RowChunk, StoredCheckpoint } from '../ports/checkpointStorage.js'
import { writeSavepoint as publish } from '../restore/savepoint.js'
import { RowFrames } from '../state/rowFrames.js'
import { decodeTagged, encodeTagged } from '../taggedJson.js'
import { task } from './chunksTask.js'
import { cellNumber, type DecodedRow, rowDecoder } from './decodedRows.js'
import { visitFinalRows } from './finalRows.js'
import { iterated } from './iterated.js'
import { openSavepoint } from './openSavepoint.js'
import { type RowShape, ShapeFinder, writtenAddress } from './rowAddress.js'
import type { SavepointReader } from './savepointReader.js'
import { metaOf } from './storedOperator.js'
import type { WrittenSavepoint } from './writeSavepoint.js'

const format = 1
const chunkBytes = 256 * 1024

/**
 * A savepoint as lines of JSON, without line ends.
 *
 * @category checkpoints
 * @since 0.2.0
 */
export function savepointLines(reader: SavepointReader): AsyncIterable<string> {
  return iterated(async (hand) => {
    let list: string[] = []
    const turn = (): Promise<void> | undefined => {
      if (list.length === 0) return undefined
      const full = list
      list = []
      return hand(full)
    }
    await visitSavepointLines(reader, (line) => void list.push(line), turn)
    await turn()
  })
}

/** Hands on each line as it is made; `turn` is called behind some of them, and waited for. */
export async function visitSavepointLines(
  reader: SavepointReader,
  take: (line: string) => void,
  turn: () => Promise<void> | undefined,
): Promise<void> {
  const { job, stored, body, heldBytesMax } = openSavepoint(reader)
  take(JSON.stringify({ rxweir: format, job, checkpointId: stored.checkpointId, epoch: stored.epoch, body }))
  await turn()
  const finders = new Map<string, ShapeFinder>()
  const decoders = new Map<string, ReturnType<typeof rowDecoder>>()
  // Rows of an operator that the checkpoint does not name any more are nobody's.
  const isUnwanted = (uid: string): boolean => !(uid in body.operators)
  const look = (uid: string, table: string, key: Uint8Array): void => {
    const name = `${uid}/${table}`
    let finder = finders.get(name)
    if (finder === undefined) finders.set(name, (finder = new ShapeFinder(body.maxParallelism)))
    finder.see(key)
  }
  await visitFinalRows(stored, { isUnwanted, heldBytesMax, look, turn }, (uid, table, key, value) => {
    const name = `${uid}/${table}`
    let decode = decoders.get(name)
    if (decode === undefined) decoders.set(name, (decode = rowDecoder(body, { uid, table }, (finders.get(name) as ShapeFinder).shape())))
    const row = decode(key, value)
    if (row !== undefined) take(lineOf(uid, table, row))
  })
}

function lineOf(uid: string, state: string, { key, namespace, entry, text, version, touchedMs, foreign }: DecodedRow): string {
  let line = `{"uid":${JSON.stringify(uid)},"state":${JSON.stringify(state)},"key":${encodeTagged(key)}`
  if (namespace !== undefined) line += `,"namespace":${encodeTagged(namespace)}`
  if (entry !== undefined) line += `,"entry":${encodeTagged(entry)}`
  line += isPlain(text) ? `,"value":${text}` : `,"text":${JSON.stringify(text)}`
  line += `,"version":${version}`
  if (touchedMs !== undefined) line += `,"touchedMs":${touchedMs}`
  if (foreign !== undefined) line += `,"foreign":"${toBase64(foreign)}"`
  return `${line}}`
}

/** Whether a text comes back the same when it has been read and written as JSON. */
function isPlain(text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === text
  } catch {
    return false
  }
}

/**
 * Makes a savepoint of the lines of {@link savepointLines}, read as they come.
 *
 * @param target - has no checkpoint of the job
 * @param job - a new name; the one in the lines unless told
 * @throws BackendError `SNAPSHOT_CORRUPT` for a line that is none of them, with its number; nothing has been written then
 * @throws RestoreError `SAVEPOINT_EXISTS`
 * @category checkpoints
 * @since 0.2.0
 */
export async function savepointOfLines(target: CheckpointStorage, lines: AsyncIterable<string>, job?: string): Promise<WrittenSavepoint> {
  const iterator = lines[Symbol.asyncIterator]()
  try {
    const first = await iterator.next()
    const head = headOf(first.done === true ? '' : first.value)
    const { body } = head
    const readRows: StoredCheckpoint['readRows'] = (visit) => task(() => chunksOf(iterator, body, async (chunk) => void (await visit(chunk))))
    const stored: StoredCheckpoint = { checkpointId: checkpointId(head.checkpointId), epoch: epoch(head.epoch), body: bodyToStore(body), readRows }
    const rows = await publish(target, jobName(job ?? head.job), stored, stored.body)
    return { checkpointId: stored.checkpointId, rows }
  } finally {
    await iterator.return?.()
  }
}

interface Head {
  readonly job: string
  readonly checkpointId: number
  readonly epoch: number
  readonly body: CheckpointBody
}

const damaged = (line: number, reason: string, cause?: unknown): BackendError =>
  new BackendError('SNAPSHOT_CORRUPT', { what: 'a line of a savepoint', line, reason }, { cause })

function headOf(line: string): Head {
  const head = parsed(line, 1)
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (typeof head['rxweir'] === 'number' && head['rxweir'] > format)
    throw new BackendError('FORMAT_NEWER', { what: 'lines of a savepoint', found: head['rxweir'], supported: format })
  if (head['rxweir'] !== format || typeof head['job'] !== 'string' || !isCount(head['checkpointId']) || !isCount(head['epoch']))
    throw damaged(1, 'the first line does not say what they are')
  return { job: head['job'], checkpointId: head['checkpointId'], epoch: head['epoch'], body: readBody(head['body'] as Json) }
}

async function chunksOf(lines: AsyncIterator<string>, body: CheckpointBody, write: (chunk: RowChunk) => Promise<void>): Promise<void> {
  const tables = new Map<string, { readonly uid: string; readonly table: string; readonly number: number; readonly frames: RowFrames }>()
  const flush = async ({ uid, table, frames }: { uid: string; table: string; frames: RowFrames }): Promise<void> => {
    const { rows } = frames
    if (rows > 0) await write({ uid: operatorUid(uid), table, rows, bytes: frames.take() })
  }
  let number = 1
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    number += 1
    if (next.value.trim() === '') continue
    const line = parsed(next.value, number)
    try {
      const { uid, state } = line
      if (typeof uid !== 'string' || typeof state !== 'string') throw damaged(number, 'it does not say whose state it is')
      const name = `${uid}/${state}`
      let into = tables.get(name)
      if (into === undefined) {
        if (!hasState(body, uid, state)) throw damaged(number, `the first line does not name ${name}`)
        tables.set(name, (into = { uid, table: state, number: cellNumber(body, uid, state), frames: new RowFrames(4 * 1024) }))
      }
      addRow(into.frames, line, into.number, body.maxParallelism, number)
      if (into.frames.byteLength >= chunkBytes) await flush(into)
    } catch (error) {
      if (error instanceof InvariantViolation || (error instanceof BackendError && error.details['line'] !== undefined)) throw error
      throw damaged(number, 'it has a key or a value that cannot be one', error)
    }
  }
  for (const into of tables.values()) await flush(into)
}

const hasState = ({ operators }: CheckpointBody, uid: string, state: string): boolean =>
  operators[uid] !== undefined && state in metaOf(uid, operators[uid].meta).tables

type Line = { readonly [name: string]: unknown }

function addRow(frames: RowFrames, line: Line, state: number, maxParallelism: number, number: number): void {
  const keyIn = (name: string): Key | undefined => (line[name] === undefined ? undefined : normalKey(decodeTagged(JSON.stringify(line[name]))))
  const key = keyIn('key')
  if (key === undefined) throw damaged(number, 'it has no key')
  const namespace = keyIn('namespace')
  const entry = keyIn('entry')
  const shape: RowShape = entry !== undefined ? 'entry' : namespace !== undefined ? 'namespace' : 'key'
  const { version = 1, touchedMs, text, value, foreign } = line
  if (!Number.isSafeInteger(version) || (touchedMs !== undefined && typeof touchedMs !== 'number'))
    throw damaged(number, 'its version or time is none')
  if ((text === undefined) === (value === undefined)) throw damaged(number, 'it has no value, or two')
  const stored = typeof text === 'string' ? text : JSON.stringify(value)
  const others = foreign === undefined ? undefined : fromBase64(String(foreign))
  const address = writtenAddress({ key, namespace, entry }, shape)
  frames.addCell(keyGroupOf(key, maxParallelism), address, state, version as number, touchedMs, stored, others)
}

function parsed(line: string, number: number): Line {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw damaged(number, 'it is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(number, 'it is no object')
  return value as Line
}
