import { Readable } from 'node:stream'
import * as t from 'io-ts'
import { jsonLines } from '../../backends/directory/jsonLines.js'
import { decodeJson } from '../../backends/directory/reading/decodeJson.js'
import { fileSource } from '../../backends/directory/reading/fileSource.js'
import { fromAsyncIterable } from '../../backends/functions/fromAsyncIterable.js'
import { ndjsonTail } from '../../backends/http/ndjsonTail.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { fromReadable } from '../../backends/nodeStreams/fromReadable.js'
import { readableLines } from '../../backends/nodeStreams/readableLines.js'
import { postgresSource } from '../../backends/postgres/postgresSource.js'
import { eagerClock } from '../../laws/eagerClock.js'
import { filesIn } from '../../laws/simulation/filesIn.js'
import type { SourceName } from './cells.js'
import { Reading, readings } from './records.js'
import type { Made, Rig, SourceOf } from './rig.js'

const lines = (all: readonly Reading[]): string => all.map((reading) => `${JSON.stringify(reading)}\n`).join('')

async function write({ files }: Rig, path: string, text: string): Promise<void> {
  await files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
  const file = await files.create(path)
  await file.write(Buffer.from(text), 0)
  await file.close()
}

/** A table of readings, made once. */
async function readingsTable({ database }: Rig): Promise<void> {
  await database.query('CREATE TABLE IF NOT EXISTS guaranteed_readings (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), id serial, n int, who text)')
  const [found] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM guaranteed_readings')
  if (found?.n === 0)
    await database.query('INSERT INTO guaranteed_readings (n, who) SELECT n, who FROM json_to_recordset($1) AS r (n int, who text)', [
      JSON.stringify(readings),
    ])
}

const following = (n: number | undefined): readonly Reading[] => readings.slice(n === undefined ? 0 : n + 1)

/** The sources by the name that they have in the tables. */
export const sources: { readonly [name in SourceName]: Made<SourceOf> } = {
  memorySource: () => () => memorySource(readings),
  jsonLines: async (rig) => {
    await write(rig, '/in/readings.jsonl', lines(readings))
    return (life) => jsonLines('/in/readings.jsonl', Reading, { files: filesIn(life, rig.files) })
  },
  fileSource: async (rig) => {
    await write(rig, '/in/log.2', lines(readings.slice(0, 5)))
    await write(rig, '/in/log.1', lines(readings.slice(5)))
    return (life) => fileSource('/in/log.*', decodeJson(Reading), { order: 'numbered', files: filesIn(life, rig.files) })
  },
  postgresSource: async (rig) => {
    await readingsTable(rig)
    // It asks again while a transaction is open that may add rows: that is soon.
    const clock = eagerClock()
    const source = postgresSource({ connection: rig.database.address, table: 'guaranteed_readings', columns: ['n', 'who'], codec: Reading })
    return () => rig.source({ ...source, open: (context) => source.open({ ...context, clock }) })
  },
  ndjsonTail: () => () =>
    ndjsonTail({
      url: (from: number | undefined) => `https://example.org/readings?from=${from ?? ''}`,
      offsetOf: ({ n }: Reading) => n,
      offset: t.number,
      codec: Reading,
      fetch: async (url) => {
        const from = new URL(String(url)).searchParams.get('from')
        return new Response(lines(following(from === null || from === '' ? undefined : Number(from))))
      },
    }),
  readableLines: () => () => readableLines({ open: () => Readable.from([lines(readings)]) }),
  fromReadable: () => () => fromReadable({ open: () => Readable.from(readings) }),
  fromAsyncIterable: () => () =>
    fromAsyncIterable({
      open: async function* (from: number | undefined) {
        yield* following(from)
      },
      offsetOf: ({ n }: Reading) => n,
      offset: t.number,
    }),
}
