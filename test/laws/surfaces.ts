import { directory } from '../../backends/directory/directory.js'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { CrashFs } from '../../laws/crashFs.js'
import { biased, chance } from '../../laws/crashFsChoices.js'
import { filesIn } from '../../laws/simulation/filesIn.js'
import { textOf } from '../../laws/simulation/plainSurface.js'
import type { Seen, Surface } from '../../laws/simulation/surface.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'

export const seen = (value: unknown): Seen => ({ key: (value as { readonly key?: string } | null)?.key ?? '', text: textOf(value) })

/** The backend in memory: its objects outlive the processes. */
export function memorySurface(_seed: number, retained: number): Surface {
  const store = new MemoryStore()
  const sinks = new Map<string, MemorySink<unknown>>()
  const sink = (uid: string): MemorySink<unknown> => {
    const known = sinks.get(uid) ?? memorySink()
    sinks.set(uid, known)
    return known
  }
  return {
    storage: () => memory({ store, retainedCheckpoints: retained }),
    sink,
    committed: (uid) => sink(uid).committed.map(seen),
    died() {},
    leftovers: () => [...sinks].flatMap(([uid, { pending }]) => pending.map(({ epoch, checkpointId }) => `${uid} ${epoch}-${checkpointId}`)),
  }
}

/** A sink of files in a directory, as a process opens it. */
type SinkOf = (path: string, files: FileLayer) => TransactionalSink<unknown>

/** Parts that end by size and by the clock, and go on across checkpoints and processes. */
export const rollingParts: SinkOf = (path, files) => fileSink(path, { files, rolling: { sizeMax: 120, ageMs: 20_000, inactivityMs: 5_000 } })

/** A directory and files of lines of JSON on a model of a file system, which forgets what was not synced when the power is cut. */
export const directorySurface =
  (plant: (files: CrashFs) => FileLayer = (files) => files, sinkOf: SinkOf = (path, files) => jsonLinesSink(path, { files })) =>
  (seed: number, retained: number): Surface => {
    const random = chance(seed)
    let files = new CrashFs()
    let parts = new Map<string, readonly Seen[]>()
    const utf8 = new TextDecoder()
    const linesOf = (path: string, bytes: Uint8Array): readonly Seen[] => {
      const known = parts.get(path)
      if (known !== undefined) return known
      const text = utf8.decode(bytes)
      const lines = text.endsWith('\n')
        ? text
            .slice(0, -1)
            .split('\n')
            .map((line) => seen(JSON.parse(line)))
        : [{ key: '', text: `${path} is cut short` }]
      parts.set(path, lines)
      return lines
    }
    return {
      storage: (life) =>
        directory('/state', {
          files: filesIn(life, plant(files)),
          clock: life,
          token: () =>
            Math.floor(random() * 2 ** 32)
              .toString(16)
              .padStart(8, '0'),
          compactAfterSegments: 2,
          retainedCheckpoints: retained,
        }),
      sink: (uid, life) => sinkOf(`/out/${uid}`, filesIn(life, plant(files))),
      committed: (uid) =>
        [...files.contents()]
          .filter(([path]) => path.startsWith(`/out/${uid}/part-`))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([path, bytes]) => linesOf(path, bytes)),
      died(how) {
        // A call that was under way when a process died may still have its effect; after a power cut it is in a world that is gone.
        if (how === 'kill') return
        files = files.cutAt(files.cuts).image(biased(random))
        parts = new Map()
      },
      leftovers: () => [...files.contents().keys()].filter((path) => /^\/out\/[^/]+\/\./.test(path) && !/owner|committed/.test(path)),
    }
  }
