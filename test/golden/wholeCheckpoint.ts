import { option as O } from 'fp-ts'
import { memory } from '../../backends/memory/memoryStorage.js'
import { must } from '../../laws/storageHistory.js'
import { checkpointId, type JobName, type OperatorUid } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'

/** What a checkpoint hands to its storage, whichever that is. */
export interface WholeCheckpoint {
  readonly checkpointId: number
  readonly body: Json
  /** By operator and table: keys and values in hex. */
  readonly tables: { readonly [table: string]: { readonly [key: string]: string } }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The newest checkpoint of a job, to be recorded. */
export async function checkpointIn(storage: CheckpointStorage, job: JobName): Promise<WholeCheckpoint> {
  const session = await must(storage.open(job, { readOnly: true }))
  const latest = await must(session.latest())
  if (O.isNone(latest)) throw new Error('there is a checkpoint')
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

/** A storage with a checkpoint as it was recorded. */
export async function storageWith(job: JobName, { checkpointId: id, body, tables }: WholeCheckpoint): Promise<CheckpointStorage> {
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
