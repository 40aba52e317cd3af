import { ConfigurationError, hasCode, RxweirError } from '../../lib/errors.js'
import { decodeKey, encodeKey, type Key } from '../../lib/key.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { CheckpointQuery, StateRow } from '../../lib/query.js'
import { encodeTagged } from '../../lib/taggedJson.js'
import type { CheckpointHistory } from './checkpointHistory.js'
import { openApi } from './openApi.js'
import type { RunErrors } from './runErrors.js'
import type { ServedRun } from './servedRun.js'

export interface Asked {
  readonly method: string
  readonly url: URL
  /** Parsed, of a request that has one. */
  readonly body: unknown
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface Served {
  readonly run: ServedRun
  readonly history: CheckpointHistory
  readonly errors: RunErrors
  readonly savepoints: ((name: string) => CheckpointStorage) | undefined
}

/** Rows that one answer has at most. */
const rowsMax = 1_000

const ok = (body: unknown): Answer => ({ status: 200, body })

/** Answers a request that may be answered. */
export async function answerTo({ method, url, body }: Asked, served: Served): Promise<Answer> {
  const [first = '', ...rest] = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
  const { run, history, errors } = served
  switch (`${method} ${first}`) {
    case 'GET openapi.json':
      return ok(openApi)
    case 'GET metrics':
      return ok({ ...run.metrics(), errors: errors.errors })
    case 'GET watermarks':
      return ok(run.explainWatermark())
    case 'GET checkpoints':
      return ok({ ...run.metrics().checkpoints, history: history.checkpoints })
    case 'POST checkpoints':
      return ok({ checkpointId: await run.checkpoint() })
    case 'POST savepoints':
      return savepoint(body, served)
    case 'GET state':
      return ok(await state(rest, url, run))
    default:
      return { status: 404, body: { reason: 'there is nothing here; /openapi.json tells what there is' } }
  }
}

async function savepoint(body: unknown, { run, savepoints }: Served): Promise<Answer> {
  if (savepoints === undefined) return { status: 403, body: { reason: 'the server was made without a place for savepoints' } }
  const name = (body as { readonly name?: unknown } | null | undefined)?.name
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name))
    throw new ConfigurationError('NAME_INVALID', {
      what: 'the name of a savepoint',
      found: typeof name === 'string' ? name.slice(0, 100) : typeof name,
    })
  return ok({ checkpointId: await run.savepoint(savepoints(name)), name })
}

async function state([uid = '', name = '']: readonly string[], { searchParams }: URL, run: ServedRun): Promise<unknown> {
  const asked = searchParams.get('key')
  const key = asked === null ? undefined : keyOf(asked)
  const limit = Math.min(rowsMax, wholeNumber(searchParams.get('limit')) ?? rowsMax)
  const as = searchParams.get('as') ?? 'live'
  if (as === 'checkpoint') return stateInCheckpoint(await run.query(uid, name, { as }), key, limit)
  if (as !== 'live') throw new ConfigurationError('OPTION_INVALID', { option: 'as', expected: ['live', 'checkpoint'] })
  const query = run.query(uid, name)
  if (key !== undefined) return { size: query.size, rows: query.get(key).map(shown) }
  const rows = []
  for (const row of query.rows()) {
    if (rows.length >= limit) break
    rows.push(shown(row))
  }
  return { size: query.size, rows }
}

async function stateInCheckpoint(query: CheckpointQuery, key: Key | undefined, limit: number): Promise<unknown> {
  const { checkpointId } = query
  try {
    if (key !== undefined) return { checkpointId, rows: (await query.get(key)).map(shown) }
    const rows: unknown[] = []
    for await (const row of query.rows()) {
      if (rows.length >= limit) break
      rows.push(shown(row))
    }
    return { checkpointId, rows }
  } finally {
    query.close()
  }
}

function keyOf(text: string): ReturnType<typeof decodeKey> {
  try {
    return decodeKey(text)
  } catch (cause) {
    throw new ConfigurationError('OPTION_INVALID', { option: 'key', expected: 'a key as it is stored: "a text" in quotes, or a number' }, { cause })
  }
}

/** Keys and values as they are stored: JSON, with tags for what JSON cannot say. */
const shown = ({ key, namespace, entry, value }: StateRow): unknown => ({
  key: encodeKey(key),
  ...(namespace === undefined ? {} : { namespace: encodeKey(namespace) }),
  ...(entry === undefined ? {} : { entry: encodeKey(entry) }),
  value: JSON.parse(encodeTagged(value)) as unknown,
})

function wholeNumber(text: string | null): number | undefined {
  return text === null || !/^\d{1,9}$/.test(text) ? undefined : Number(text)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** What whoever asked is told of a failure. */
export function failureOf(error: unknown): Answer {
  if (!(error instanceof RxweirError)) return { status: 500, body: { reason: 'the request failed' } }
  const { code, message, hint } = error
  const status = hasCode(error, 'STATE_UNKNOWN') ? 404 : error instanceof ConfigurationError ? 400 : hasCode(error, 'SAVEPOINT_EXISTS') ? 409 : 503
  return { status, body: { code, reason: message, hint } }
}
