import { type DirectoryOptions, directory } from '../../backends/directory/directory.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type Found, must, readAll, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, RowChunk } from '../../lib/ports/checkpointStorage.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'

const job = jobName('orders')

/** A directory whose file names are the same each time. */
function golden(files: CrashFs, options: DirectoryOptions): CheckpointStorage {
  let tokens = 0
  return directory('/state', {
    files,
    clock: { nowMs: () => 0, callAt: () => () => undefined, yield: () => Promise.resolve() },
    token: () => {
      tokens += 1
      return tokens.toString(16).padStart(8, '0')
    },
    ...options,
  })
}

function chunk(uid: string, table: string, rows: readonly (readonly [key: string, value: string | undefined])[]): RowChunk {
  const frames = new RowFrames()
  for (const [key, value] of rows) frames.add(Buffer.from(`\0\x07${key}`), value === undefined ? undefined : Buffer.from(value))
  return { uid: operatorUid(uid), table, rows: rows.length, bytes: frames.take() }
}

async function publish(session: CheckpointSession, id: number, chunks: readonly RowChunk[]): Promise<void> {
  const writer = session.begin(checkpointId(id))
  for (const each of chunks) await must(writer.write(each))
  await must(writer.publish({ offsets: { orders: id * 100 }, ünïcode: ['✓', null, 1.5] }))
}

/** What each release has to find in the files that {@link writeDirectory} leaves. */
export interface DirectoryContent {
  readonly found: Found
  readonly entries: readonly string[]
}

/** Writes two runs of a small job: checkpoints, a merge, and a journal that goes on. */
export async function writeDirectory(options: DirectoryOptions = {}): Promise<CrashFs> {
  const files = new CrashFs()
  const storage = golden(files, { compactAfterSegments: 2, ...options })
  const first = await must(storage.open(job))
  await recover(first)
  const journal = await must(first.journal?.() ?? fail())
  await unwrap(journal.append(['{"amount":1}', '"ünïcode ✓"']))
  await unwrap(journal.append(['x'.repeat(300)]))
  await publish(first, 1, [
    chunk('totals', 'state', [
      ['ada', '15'],
      ['bob', '3'],
    ]),
    chunk('pages', 'timers', [['ada', 'at 7']]),
  ])
  await publish(first, 2, [
    chunk('totals', 'state', [
      ['ada', '16'],
      ['bob', undefined],
      ['eve', 'a'.repeat(500)],
    ]),
  ])
  await first.close()()
  const second = await must(storage.open(job))
  await recover(second)
  await unwrap((await must(second.journal?.() ?? fail())).append(['the last']))
  await publish(second, 3, [chunk('totals', 'state', [['zoë', '26']])])
  await second.idle()()
  await publish(second, 4, [chunk('totals', 'state', [['ada', '17']])])
  await second.idle()()
  await second.close()()
  return files
}

/** Reads it all, and takes over, as the next run does. */
export async function readDirectory(files: CrashFs, options: DirectoryOptions = {}): Promise<DirectoryContent> {
  const session = await must(golden(files, options).open(job))
  try {
    const latest = await must(session.latest())
    if (latest._tag === 'None') throw new Error('there is no checkpoint')
    const found = await readAll(latest.value)
    await must(session.takeOver(latest))
    const journal = await must(session.journal?.() ?? fail())
    const entries = await unwrap(journal.read(0, 100))
    const rest = entries.length < journal.end ? await unwrap(journal.read(entries.length, 100)) : []
    const last = entries.length + rest.length < journal.end ? await unwrap(journal.read(entries.length + rest.length, 100)) : []
    return { found, entries: [...entries, ...rest, ...last] }
  } finally {
    await session.close()()
  }
}

function fail(): never {
  throw new Error('the directory has a journal')
}

/** Files as a fixture keeps them. */
export const asFixture = (files: CrashFs): { readonly [path: string]: string } =>
  Object.fromEntries([...files.contents()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]))

export async function fromFixture(fixture: { readonly [path: string]: string }): Promise<CrashFs> {
  const files = new CrashFs()
  for (const [path, text] of Object.entries(fixture)) {
    await files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const file = await files.create(path)
    await file.write(Buffer.from(text, 'base64'), 0)
    await file.close()
  }
  return files
}
