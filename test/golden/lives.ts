import { type Found, must, readAll, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'

export const job = jobName('orders')

export type Row = readonly [key: string, value: string | undefined]

function chunk(uid: string, table: string, rows: readonly Row[]): RowChunk {
  const frames = new RowFrames()
  for (const [key, value] of rows) frames.add(Buffer.from(`\0\x07${key}`), value === undefined ? undefined : Buffer.from(value))
  return { uid: operatorUid(uid), table, rows: rows.length, bytes: frames.take() }
}

async function publish(session: CheckpointSession, id: number, chunks: readonly RowChunk[]): Promise<void> {
  const writer = session.begin(checkpointId(id))
  for (const each of chunks) await must(writer.write(each))
  await must(writer.publish({ offsets: { orders: id * 100 }, ünïcode: ['✓', null, 1.5] }))
}

const journalOf = async (session: CheckpointSession): Promise<Journal | undefined> =>
  session.journal === undefined ? undefined : must(session.journal())

/** What each release has to find in what {@link writeLives} leaves. */
export interface LivesContent {
  readonly found: Found
  readonly entries: readonly string[]
}

/** What is found behind {@link writeLives}. */
export const livesContent = ({ more = [], journals }: { readonly more?: readonly Row[]; readonly journals: boolean }): LivesContent => ({
  found: {
    checkpointId: 4,
    body: '{"offsets":{"orders":400},"ünïcode":["✓",null,1.5]}',
    rows: new Map([
      ['totals/state/\0\x07ada', '17'],
      ['totals/state/\0\x07eve', 'a'.repeat(500)],
      ['totals/state/\0\x07zo\u00c3\u00ab', '26'],
      ['pages/timers/\0\x07ada', 'at 7'],
      ...more.map(([key, value]) => [`totals/state/\0\x07${key}`, value as string] as const),
    ]),
  },
  entries: journals ? ['{"amount":1}', '"ünïcode ✓"', 'x'.repeat(300), 'the last'] : [],
})

/** Writes two runs of a small job: checkpoints, and a journal that goes on, where the storage has one. `more` rows come with the second. */
export async function writeLives(storage: CheckpointStorage, more: readonly Row[] = []): Promise<void> {
  const first = await must(storage.open(job))
  await recover(first)
  const journal = await journalOf(first)
  if (journal !== undefined) {
    await unwrap(journal.append(['{"amount":1}', '"ünïcode ✓"']))
    await unwrap(journal.append(['x'.repeat(300)]))
  }
  await publish(first, 1, [
    chunk('totals', 'state', [
      ['ada', '15'],
      ['bob', '3'],
    ]),
    chunk('pages', 'timers', [['ada', 'at 7']]),
  ])
  await publish(first, 2, [chunk('totals', 'state', [['ada', '16'], ['bob', undefined], ['eve', 'a'.repeat(500)], ...more])])
  await first.close()()
  const second = await must(storage.open(job))
  await recover(second)
  const again = await journalOf(second)
  if (again !== undefined) await unwrap(again.append(['the last']))
  await publish(second, 3, [chunk('totals', 'state', [['zoë', '26']])])
  await second.idle()()
  await publish(second, 4, [chunk('totals', 'state', [['ada', '17']])])
  await second.idle()()
  await second.close()()
}

/** Reads it all, and takes over, as the next run does. */
export async function readLives(storage: CheckpointStorage): Promise<LivesContent> {
  const session = await must(storage.open(job))
  try {
    const latest = await must(session.latest())
    if (latest._tag === 'None') throw new Error('there is no checkpoint')
    const found = await readAll(latest.value)
    await must(session.takeOver(latest))
    const journal = await journalOf(session)
    const entries: string[] = []
    while (journal !== undefined && entries.length < journal.end) entries.push(...(await unwrap(journal.read(entries.length, 100))))
    return { found, entries }
  } finally {
    await session.close()()
  }
}
