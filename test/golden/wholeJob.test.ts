import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { memory } from '../../backends/memory/memoryStorage.js'
import { must } from '../../laws/storageHistory.js'
import { checkpointId, jobName, type OperatorUid } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { readSavepoint, savepointLines, savepointOfLines } from '../../lib/processor/index.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { recorded } from './recorded.js'
import { goOnFrom, type Results, runToSavepoint } from './wholeJob.js'

/** What a checkpoint hands to its storage, whichever that is. */
interface Record {
  readonly checkpointId: number
  readonly body: Json
  /** By operator and table: keys and values in hex. */
  readonly tables: { readonly [table: string]: { readonly [key: string]: string } }
  /** What the job makes behind it. */
  readonly after: Results
}

const job = jobName('whole')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function dump(storage: CheckpointStorage): Promise<Omit<Record, 'after'>> {
  const session = await must(storage.open(job, { readOnly: true }))
  const latest = await must(session.latest())
  if (O.isNone(latest)) throw new Error('there is a savepoint')
  const tables: { [table: string]: { [key: string]: string } } = {}
  await must(
    latest.value.readRows(({ uid, table, bytes }) => {
      const rows = (tables[`${uid}/${table}`] ??= {})
      readRows(bytes, (key, value) => {
        if (value === undefined) delete rows[hex(key)]
        else rows[hex(key)] = hex(value)
      })
    }),
  )
  const { checkpointId, body } = latest.value
  return { checkpointId, body, tables: Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, sorted(rows)])) }
}

const sorted = (rows: { readonly [key: string]: string }) => Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)))

async function stored({ checkpointId: id, body, tables }: Omit<Record, 'after'>): Promise<CheckpointStorage> {
  const storage = memory()
  const session = await must(storage.open(job))
  await must(session.takeOver(await must(session.latest())))
  const writer = session.begin(checkpointId(id), { whole: true })
  for (const [name, rows] of Object.entries(tables)) {
    const [uid, table] = name.split('/') as [OperatorUid, string]
    const frames = new RowFrames()
    for (const [key, value] of Object.entries(rows)) frames.add(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))
    await must(writer.write({ uid, table, rows: frames.rows, bytes: frames.take() }))
  }
  await must(writer.publish(body))
  await session.close()()
  return storage
}

const written = async (): Promise<Record> => {
  const savepoint = await runToSavepoint()
  return { ...(await dump(savepoint)), after: await goOnFrom(savepoint) }
}

describe('the checkpoint of a job with state of every kind', () => {
  it('that an earlier release took is restored, and the job goes on as it did then', async () => {
    const record = await recorded('wholeJob', written)
    expect(await goOnFrom(await stored(record))).toEqual(record.after)
  })

  it('has the same body and the same rows as ever', async () => {
    expect(JSON.parse(JSON.stringify(await written()))).toEqual(await recorded('wholeJob', written))
  })

  it('that a newer release took is refused by name', async () => {
    const { body, ...record } = await recorded('wholeJob', written)
    const { format } = body as { readonly format: number }
    const newer = await stored({ ...record, body: { ...(body as object), format: format + 2 } as unknown as Json })
    await expect(goOnFrom(newer)).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: format + 2 } })
  })
})

describe('the lines of a savepoint', () => {
  const linesOf = async (from: CheckpointStorage): Promise<readonly string[]> => {
    const lines: string[] = []
    for await (const line of savepointLines(await readSavepoint(from, 'whole'))) lines.push(line)
    return [lines[0] as string, ...lines.slice(1).sort()]
  }
  const inLines = async () => ({ lines: await linesOf(await runToSavepoint()) })
  const fed = async function* (lines: readonly string[]) {
    yield* lines
  }

  it('that an earlier release wrote are made a savepoint, and the job goes on from it', async () => {
    const { lines } = await recorded('savepointLines', inLines)
    const target = memory()
    await savepointOfLines(target, fed(lines))
    expect(await goOnFrom(target)).toEqual((await recorded('wholeJob', written)).after)
  })

  it('are written as ever', async () => {
    expect(await inLines()).toEqual(await recorded('savepointLines', inLines))
  })

  it('that a newer release wrote are refused by name', async () => {
    const { lines } = await recorded('savepointLines', inLines)
    const [head, ...rows] = lines
    const newer = JSON.stringify({ ...(JSON.parse(head as string) as object), rxweir: 2 })
    await expect(savepointOfLines(memory(), fed([newer, ...rows]))).rejects.toMatchObject({
      code: 'FORMAT_NEWER',
      details: { found: 2, supported: 1 },
    })
  })
})
