import { json, stateCodec } from '../../../lib/codec.js'
import { RowFrames } from '../../../lib/state/rowFrames.js'
import { RowTable } from '../../../lib/state/rowTable.js'
import { type Added, Sessions, spanName, windowOfSpan } from '../../../lib/window/sessions.js'
import { type TimeWindow, timeWindow } from '../../../lib/window/timeWindow.js'
import { type Case, type Fields, Mismatch, text, unknown } from '../model.js'
import { canonical, equal } from '../play.js'

const key = 'key'
type StoredSession = readonly [start: number, end: number]
type Pair = readonly [start: number, end: number]

export function newSessions(): { readonly sessions: Sessions; readonly table: RowTable<StoredSession> } {
  const scope = { uid: 'sessions', rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }
  const table = new RowTable<StoredSession>(
    { table: 'sessions', state: 'session', codec: stateCodec(json<StoredSession>()), namespaced: true },
    scope,
  )
  return { sessions: new Sessions(table), table }
}

const windowOf = ([start, end]: Pair): TimeWindow => timeWindow(start, end)
const pairOf = ({ start, end }: { readonly start: number; readonly end: number }): Pair => [start, end]
const nameOf = (name: unknown): Pair | null => (name === undefined ? null : pairOf(windowOfSpan(name as string)))

/** Sessions of one key, and where their contents are. */
export function mergingWindowSet(golden: Case): void {
  let { sessions, table } = newSessions()
  const added = ({ window, contents, sources, absorbed }: Added): Fields => ({
    result: pairOf(window),
    merged: sources.length > 0,
    mergeResult: pairOf(window),
    stateWindow: nameOf(contents),
    sources: sources.map(pairOf),
    mergedStateWindows: absorbed.map(nameOf),
  })
  const apply = (event: Fields): Fields => {
    switch (event['op']) {
      case 'addWindow':
        return added(sessions.add(key, windowOf(event['window'])))
      case 'getStateWindow':
        return { stateWindow: nameOf(sessions.contentsOf(key, windowOf(event['window']))) }
      case 'retireWindow':
        sessions.retire(key, windowOf(event['window']))
        return {}
      case 'persist': {
        const rows = [...table.rows()].sort((a, b) => a.value[0] - b.value[0])
        const changed = table.capture().rows > 0
        return { persisted: changed ? rows.map(({ value, namespace }) => [[...value], nameOf(namespace)]) : 'nothing written (mapping unchanged)' }
      }
      case 'restore': {
        const before = newSessions().table
        for (const [window, contents] of event['mapping'] as [Pair, Pair][])
          before.create(key, spanName({ start: contents[0], end: contents[1], lastMs: 0 }), window)
        ;({ sessions, table } = newSessions())
        const capture = before.capture()
        const frames = new RowFrames()
        while (capture.encode(frames, 10));
        const { rows } = frames
        table.restore({ uid: 'sessions' as never, table: 'sessions', rows, bytes: frames.take() })
        sessions.restored()
        return {}
      }
      default:
        throw unknown('operation of merging windows', event['op'])
    }
  }
  golden.input.forEach((event, index) => {
    const found = apply(event)
    for (const expected of golden.expected) {
      if (expected['after'] !== index) continue
      for (const [name, wanted] of Object.entries(expected))
        if (name !== 'after' && name !== 'note') compare(`step ${index} ${text(event)} ${name}`, name, wanted, found)
    }
  })
}

/** `…OneOf`: any of those. */
function compare(where: string, name: string, wanted: unknown, found: Fields): void {
  const field = name.replace(/OneOf$/, '')
  if (!(field in found)) throw unknown('expectation of merging windows', name)
  if (field === name) return equal(where, wanted, found[field])
  const allowed = (wanted as unknown[]).map(canonical)
  if (!allowed.includes(canonical(found[field])))
    throw new Mismatch(`${where}\n      expected one of ${text(wanted)}\n      found    ${text(found[field])}`)
}
