import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { decodeLines } from '../../backends/directory/reading/decodeLines.js'
import { type FileSourceOptions, fileSource } from '../../backends/directory/reading/fileSource.js'
import { CrashFs } from '../../laws/crashFs.js'
import { filesIn } from '../../laws/simulation/filesIn.js'
import { Life } from '../../laws/simulation/life.js'
import { World } from '../../laws/simulation/world.js'
import { defineJob } from '../../lib/job.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { committedLines } from '../support/parts.js'
import { writeCopiedLog, writeRotatingLog } from '../support/rotatingLog.js'

interface Told {
  readonly committed: readonly unknown[]
  readonly kills: number
  readonly restored: number
  readonly rotations: number
}

/** How a log is rotated, and what its reader is told about that. */
interface Rotation {
  readonly write: typeof writeRotatingLog
  readonly options: FileSourceOptions
}

const rotations: readonly (readonly [string, Rotation])[] = [
  ['that is renamed', { write: writeRotatingLog, options: {} }],
  ['that is copied and truncated', { write: writeCopiedLog, options: { onTruncated: 'copied', pollMs: 20 } }],
]

const logLines = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `line ${index} of ${index % 3}`)

/** Counts the lines of each kind. */
const expectedOf = (lines: readonly string[]): readonly unknown[] => lines.map((line, index) => ({ line, count: Math.floor(index / 3) + 1 }))

/** A log is written and rotated while one process after the other reads it and is killed, until everything is committed. */
async function survive(seed: number, lines: readonly string[], killsMax: number, { write, options }: Rotation): Promise<Told> {
  const world = new World(seed, [], 200_000)
  const files = new CrashFs()
  await files.makeDirectory('/logs')
  const draw = (below: number): number => world.below(below)
  const undisturbed = { ended() {}, happened() {}, fault: () => false }
  const writer = new Life(world, undisturbed)
  // A writer that pauses and rushes rotates the log, and fills it again, between two looks of a reader that had caught up.
  const rushes = draw(2) === 0
  let rush = 0
  const writing = write({
    files: rushes ? files : filesIn(writer, files),
    path: '/logs/app.log',
    lines,
    below: draw,
    async between() {
      if (!rushes || (rush -= 1) > 0) return
      for (let pause = draw(400); pause > 0; pause -= 1) await writer.step('storage', 'the writer')
      rush = draw(12)
    },
  })
  let broken: unknown
  writing.catch((error: unknown) => (broken = error))
  let kills = 0
  let restored = 0
  let seen = { cut: -1, count: 0 }
  /** How many lines are committed; looked at again only when files have changed. */
  const committed = (): number => {
    if (seen.cut === files.cuts) return seen.count
    const parts = [...files.contents()].filter(([path]) => path.startsWith('/out/part-'))
    seen = { cut: files.cuts, count: parts.reduce((sum, [, bytes]) => sum + bytes.filter((byte) => byte === 10).length, 0) }
    return seen.count
  }
  for (;;) {
    const life: Life = new Life(world, { ...undisturbed, ended: () => life.die() })
    if (kills < killsMax) life.expect({ how: 'kill', at: draw(3) === 0 ? 'file read' : undefined, after: draw(draw(2) === 0 ? 40 : 250) })
    const own = filesIn(life, files)
    const storage = directory('/state', {
      files: own,
      clock: life,
      token: () =>
        draw(2 ** 31)
          .toString(16)
          .padStart(8, '0'),
    })
    const job = defineJob(
      'log',
      {
        storage,
        clock: life,
        checkpoints: { intervalMs: 5 },
        limits: { sourceBatchMax: 1 + draw(4) },
        pacing: { recordsPerTurn: () => 1 + draw(3), turnsPerSlice: () => 1 + draw(4), sliceMs: 8 },
      },
      ({ source, sink }) =>
        source(
          'log',
          fileSource('/logs/app.log*', decodeLines(), { order: 'numbered', follow: true, pollMs: 2, ...options, readBytes: 16, files: own }),
        ).pipe(
          keyBy((line) => line.slice(-1)),
          statefulMap('count', { state: t.number, initial: 0 }, (count, line: string) => [count + 1, { line, count: count + 1 }]),
          sink('out', jsonLinesSink('/out', { files: own })),
        ),
    )
    const run = job.run()
    run.events$.subscribe({
      next: (event) => {
        if (event.kind === 'restored' && event.checkpointId !== undefined) restored += 1
      },
      error: (error: unknown) => {
        if (!life.dead) broken = error
      },
    })
    run.done.catch(() => undefined)
    const settled = await world.settle(
      () => broken !== undefined || life.dead || committed() >= lines.length,
      () => undefined,
    )
    if (broken !== undefined) throw broken
    if (settled !== 'done') throw new Error(`the world is ${settled}`)
    if (!life.dead) {
      life.die()
      const rotations = [...files.contents().keys()].filter((path) => /app[.]log[.]/.test(path)).length
      return { committed: await committedLines(files, '/out'), kills, restored, rotations }
    }
    kills += 1
  }
}

describe.each(rotations)('a log %s while processes that read it are killed', (_name, rotation) => {
  it('is counted exactly once, line by line and in order', async () => {
    const told: Told[] = []
    await fc.assert(
      fc.asyncProperty(fc.noShrink(fc.nat({ max: 2 ** 31 - 1 })), async (seed) => {
        const lines = logLines(40)
        const one = await survive(seed, lines, 6, rotation)
        expect(one.committed).toEqual(expectedOf(lines))
        told.push(one)
      }),
      { numRuns: 15, seed: 20_260_101 },
    )
    const sum = (of: (one: Told) => number): number => told.reduce((all, one) => all + of(one), 0)
    expect(sum(({ kills }) => kills)).toBeGreaterThan(10)
    expect(sum(({ restored }) => restored)).toBeGreaterThan(5)
    expect(sum(({ rotations }) => rotations)).toBeGreaterThan(10)
  })
})
