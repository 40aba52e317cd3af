import { Writable } from 'node:stream'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { encodeJson } from '../../backends/directory/rolling/encodeJson.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { callbackSink } from '../../backends/functions/callbackSink.js'
import { webhookSink } from '../../backends/http/webhookSink.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { writableSink } from '../../backends/nodeStreams/writableSink.js'
import { postgresSink } from '../../backends/postgres/postgresSink.js'
import type { PostgresStorage } from '../../backends/postgres/postgresStorage.js'
import { filesIn } from '../../laws/simulation/filesIn.js'
import type { Life } from '../../laws/simulation/life.js'
import type { Delivery } from '../../lib/delivery.js'
import { finishedValues } from '../support/fileSinkTree.js'
import type { SinkName } from './cells.js'
import type { Counted, Seen } from './records.js'
import type { Made, Rig, Target } from './rig.js'
import { guaranteed } from './storages.js'

const table = { table: { schema: 'public', table: 'guaranteed_results' }, columns: ['n', 'who', 'count'] }

/** A table that is empty. */
async function results({ database }: Rig): Promise<Target['seen']> {
  await database.query('CREATE TABLE IF NOT EXISTS guaranteed_results (at serial, n int, who text, count int)')
  await database.query('DELETE FROM guaranteed_results')
  return async () => (await database.query<Counted>('SELECT n, who, count FROM guaranteed_results ORDER BY at')).map((value) => ({ value }))
}

/** Something outside that is told of records and their keys, by processes that live. */
class Listener {
  readonly heard: Seen[] = []

  hear(life: Life, key: string, value: Counted): Promise<void> {
    if (life.dead) return new Promise(() => {})
    this.heard.push({ key, value })
    return Promise.resolve()
  }

  seen = async (): Promise<readonly Seen[]> => this.heard
}

/** The targets by the name that they have in the tables. */
export const targets: { readonly [name in SinkName]: Made<Target> } = {
  memorySink: () => {
    const sink = memorySink<Counted>()
    return { sink: () => sink, seen: async () => sink.committed.map((value) => ({ value })) }
  },
  jsonLinesSink: ({ files }) => ({
    sink: (life) => jsonLinesSink('/out/lines', { files: filesIn(life, files) }),
    seen: async () =>
      [...files.contents()]
        .filter(([path]) => path.startsWith('/out/lines/part-'))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, bytes]) => Buffer.from(bytes).toString().trimEnd().split('\n'))
        .map((line) => ({ value: JSON.parse(line) as Counted })),
  }),
  fileSink: ({ files }) => ({
    sink: (life) => fileSink('/out/rolled', { encode: encodeJson(), rolling: { sizeMax: 100 }, files: filesIn(life, files) }),
    seen: async () => ((await finishedValues(files, '/out/rolled')) as readonly Counted[]).map((value) => ({ value })),
  }),
  'postgresSink, storage': async (rig) => {
    // With another storage it is refused before it asks for a server.
    const seen = rig.hasDatabase ? await results(rig) : async () => []
    return { sink: (_, storage) => rig.sink(postgresSink<Counted>({ storage: storage as PostgresStorage, ...table })), seen }
  },
  'postgresSink, ledger': async (rig) => {
    const seen = await results(rig)
    await rig.database.emptySchema(`${guaranteed}_ledger`)
    return { sink: () => rig.sink(postgresSink<Counted>({ connection: rig.database.address, schema: `${guaranteed}_ledger`, ...table })), seen }
  },
  callbackSink: () => {
    const listener = new Listener()
    return { sink: (life) => callbackSink<Counted>({ deliver: ({ key, value }) => listener.hear(life, key, value) }), seen: listener.seen }
  },
  webhookSink: () => {
    const listener = new Listener()
    return {
      sink: (life) =>
        webhookSink<Counted>({
          url: 'https://example.org/results',
          fetch: async (_, { headers, body }) => {
            await listener.hear(life, new Headers(headers).get('idempotency-key') ?? '', JSON.parse(String(body)) as Counted)
            return new Response(null, { status: 204 })
          },
        }),
      seen: listener.seen,
    }
  },
  writableSink: () => {
    const listener = new Listener()
    const open = (life: Life) =>
      new Writable({
        objectMode: true,
        write: ({ key, value }: Delivery<Counted>, _, done) => void listener.hear(life, key, value).then(() => done()),
      })
    return { sink: (life) => writableSink<Counted>({ objectMode: true, open: () => open(life) }), seen: listener.seen }
  },
  tapValues: () => {
    const seen: Seen[] = []
    // A job has a sink; this one tells nobody.
    const sink = callbackSink<Counted>({ deliver() {} })
    return { sink: () => sink, tapped: (life, value) => void (life.dead || seen.push({ value })), seen: async () => seen }
  },
}
