import fc from 'fast-check'
import { option, taskEither } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type SinkFixture, type SinkLawOptions, sinkLaws } from '../../laws/sinkLaws.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import type { SinkWriter } from '../../lib/ports/transactionalSink.js'
import { finishedValues, stagedParts } from '../support/fileSinkTree.js'
import { committedLines, hiddenParts } from '../support/parts.js'
import { temporaryDirectory } from '../support/temporary.js'

/** What JSON text can hold: -0 comes back as 0. */
const records: fc.Arbitrary<unknown> = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))

async function inMemory(): Promise<SinkFixture<unknown>> {
  const sink = memorySink<unknown>()
  return {
    sink: () => sink,
    committed: async () => sink.committed,
    uncommitted: async () => sink.pending.map(({ epoch, checkpointId }) => `${epoch}-${checkpointId}`),
    dispose: async () => undefined,
  }
}

const onFiles = (files: FileLayer, path: string, bufferBytesMax: number): SinkFixture<unknown> => ({
  sink: () => jsonLinesSink<unknown>(path, { files, bufferBytesMax }),
  committed: () => committedLines(files, path),
  uncommitted: () => hiddenParts(files, path),
  dispose: async () => undefined,
})

/** Parts that end with their checkpoint, and sometimes before. */
const inRollingParts = (files: FileLayer, path: string, bufferBytesMax: number, gzip = false): SinkFixture<unknown> => ({
  sink: () => fileSink<unknown>(path, { files, bufferBytesMax, gzip, rolling: { onCheckpoint: true, sizeMax: 20 } }),
  committed: () => finishedValues(files, path),
  uncommitted: () => stagedParts(files, path),
  dispose: async () => undefined,
})

const fixtures: readonly (readonly [string, SinkLawOptions<unknown>])[] = [
  ['memorySink', { records, make: inMemory }],
  ['jsonLinesSink', { records, make: async () => onFiles(new CrashFs(), '/out', 1_000_000) }],
  ['fileSink', { records, make: async () => inRollingParts(new CrashFs(), '/out', 1_000_000) }],
  ['fileSink with gzip', { records, make: async () => inRollingParts(new CrashFs(), '/out', 1_000_000, true) }],
  [
    'fileSink with large records and a small buffer',
    {
      records: fc.integer({ min: 1, max: 60 }).map((count) => `${count}`.padStart(count * 3_000)),
      make: async () => inRollingParts(new CrashFs(), '/out', 100_000),
    },
  ],
  [
    'jsonLinesSink with large records and a small buffer',
    {
      records: fc.integer({ min: 1, max: 60 }).map((count) => `${count}`.padStart(count * 3_000)),
      make: async () => onFiles(new CrashFs(), '/out', 100_000),
    },
  ],
]

for (const [name, options] of fixtures)
  describe(name, () => {
    for (const law of sinkLaws(options)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: name.includes('large') ? 20 : 100 }))
  })

it('jsonLinesSink keeps the laws on the file system of the machine', async () => {
  const directory = await temporaryDirectory()
  let count = 0
  for (const law of sinkLaws({ records, make: async () => onFiles(nodeFiles, `${directory}/${++count}`, 1_000_000) })) await law.check({ runs: 5 })
})

it('fileSink keeps the laws on the file system of the machine', async () => {
  const directory = await temporaryDirectory()
  let count = 0
  for (const law of sinkLaws({ records, make: async () => inRollingParts(nodeFiles, `${directory}/${++count}`, 1_000_000) }))
    await law.check({ runs: 5 })
})

describe('a sink that breaks a law is caught', () => {
  type Change = (writer: SinkWriter<unknown>, seen: unknown[], sink: MemorySink<unknown>) => Partial<SinkWriter<unknown>>
  /** A memory sink with some methods changed; `seen` is what its readers see where a change fills it. */
  const broken = (change: Change, show: 'committed' | 'seen' = 'committed'): SinkLawOptions<unknown> => ({
    records,
    async make() {
      const sink = memorySink<unknown>()
      const seen: unknown[] = []
      const changed = (writer: SinkWriter<unknown>): SinkWriter<unknown> => {
        const methods: Partial<Record<PropertyKey, unknown>> = change(writer, seen, sink)
        return new Proxy(writer, { get: (target, name) => methods[name] ?? Reflect.get(target, name).bind(target) })
      }
      return {
        ...(await inMemory()),
        sink: () => ({ commits: 'transactional', open: (context) => taskEither.map(changed)(sink.open(context)) }),
        committed: async () => (show === 'seen' ? seen : sink.committed),
        uncommitted: async () => sink.pending.map(({ checkpointId }) => String(checkpointId)),
      }
    },
  })
  const canaries: readonly (readonly [string, SinkLawOptions<unknown>])[] = [
    [
      'uncommitted-invisible',
      broken(
        (writer, seen) => ({
          write(value, timestamp, key) {
            seen.push(value)
            writer.write(value, timestamp, key)
          },
        }),
        'seen',
      ),
    ],
    [
      'commit-idempotent',
      broken(
        (writer, seen, sink) => ({
          commit: (handle) =>
            taskEither.map(() => {
              seen.push(...(sink.transactions.at(-1)?.values ?? []))
              return undefined
            })(writer.commit(handle)),
        }),
        'seen',
      ),
    ],
    ['abort-leaves-no-trace', broken(() => ({ abortOthers: () => taskEither.right(undefined) }))],
    ['commit-survives-reopen', broken(() => ({ commit: () => taskEither.right(undefined) }))],
    ['sink-remembers', broken(() => ({ committedUpTo: () => taskEither.right(option.none) }))],
  ]
  for (const [name, options] of canaries)
    it(`by ${name}`, async () => {
      const law = sinkLaws(options).find((candidate) => candidate.name === name)
      await expect(law?.check({ seed: 1 })).rejects.toThrow(`The law ${name} does not hold`)
    })
})
