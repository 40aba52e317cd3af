import { describe, expect, it } from 'vitest'
import type { CrashFs } from '../../laws/crashFs.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { type PowerCutOptions, powerCuts, type Verdict } from './directoryPowerCuts.js'

/** More of them on demand: `RXWEIR_HISTORIES=10000 npx vitest run test/simulation/directoryPowerCut.test.ts`. */
const histories = Number(process.env['RXWEIR_HISTORIES'] ?? 1)
const timeoutMs = 180_000 + histories * 2_000

async function campaign(count: number, options: PowerCutOptions, from = 1): Promise<Verdict> {
  const sum: Verdict = { images: 0, cuts: 0, nested: 0, checkpoints: 0, deaths: 0, wrong: [] }
  for (let seed = from; seed < from + count && sum.wrong.length === 0; seed++) {
    const { images, cuts, nested, checkpoints, deaths, wrong } = await powerCuts(seed, options)
    sum.images += images
    sum.cuts += cuts
    sum.nested += nested
    sum.checkpoints += checkpoints
    sum.deaths += deaths
    sum.wrong.push(...wrong)
  }
  return sum
}

describe('a power cut', () => {
  for (const [name, options] of [
    ['that keeps any subset of names', {}],
    ['that keeps any subset of names, with one retained checkpoint and stale bytes', { retainedCheckpoints: 1, files: { staleByte: 0xa5 } }],
    ['that keeps names in order', { files: { mode: 'ordered' } }],
    ['behind checkpoints that are discarded', { discards: true, steps: 5 }],
  ] as const satisfies readonly (readonly [string, PowerCutOptions])[])
    it(
      `${name} leaves the acknowledged checkpoint or the one under way, whole`,
      async () => {
        const verdict = await campaign(histories, options)
        expect(verdict.wrong).toEqual([])
        // A campaign that never published, died or cut a recovery would prove nothing.
        expect(Math.min(verdict.checkpoints, verdict.deaths, verdict.nested)).toBeGreaterThan(0)
        console.info(
          `power cuts ${name}: images=${verdict.images} cuts=${verdict.cuts} nested=${verdict.nested} checkpoints=${verdict.checkpoints} LOST=0`,
        )
      },
      timeoutMs,
    )
})

/** Leaves out a sync, as a mistake would. */
function without(which: 'segment' | 'temporary' | 'before' | 'after') {
  return (files: CrashFs): FileLayer => {
    let linked = false
    const lying = (file: OpenFile, path: string): OpenFile => {
      if (!path.includes(`/${which}-`)) return file
      return { ...file, sync: () => Promise.resolve() }
    }
    return {
      create: async (path) => lying(await files.create(path), path),
      open: (path) => files.open(path),
      link: async (from, to) => {
        await files.link(from, to)
        linked = true
      },
      rename: (from, to) => files.rename(from, to),
      unlink: (path) => files.unlink(path),
      makeDirectory: (path) => files.makeDirectory(path),
      list: (path) => files.list(path),
      size: (path) => files.size(path),
      identify: (path) => files.identify(path),
      syncDirectory: async (path) => {
        const kind = linked ? 'after' : 'before'
        linked = false
        if (kind !== which) await files.syncDirectory(path)
      },
    }
  }
}

describe('a missing sync is caught', () => {
  for (const [which, what] of [
    ['segment', 'of the rows'],
    ['temporary', 'of the manifest'],
    ['before', 'of the folder before the manifest gets its name'],
    ['after', 'of the folder before the checkpoint is acknowledged'],
  ] as const)
    it(
      what,
      async () => {
        const verdict = await campaign(10, { plant: without(which) })
        expect(verdict.wrong).not.toEqual([])
        expect(verdict.images).toBeLessThan(2_000)
        console.info(`without the sync ${what}: caught by image ${verdict.images}: ${verdict.wrong[0]}`)
      },
      timeoutMs,
    )
})
