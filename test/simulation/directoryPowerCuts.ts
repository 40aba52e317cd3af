import type { DirectoryOptions } from '../../backends/directory/directory.js'
import { CrashFs, type CrashFsOptions } from '../../laws/crashFs.js'
import { type Chance, type ChoiceOptions, chance, choices } from '../../laws/crashFsChoices.js'
import { chunksOf, type Found, must, nothing, planned, publishOn, type RowChange, recover, sameFound } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { modelDirectory } from './directoryModel.js'

const job = jobName('j')

/** What may be found when the power is cut from `cut` on: the acknowledged checkpoint, or the one that was under way. */
interface Allowed {
  readonly cut: number
  readonly founds: readonly Found[]
}

interface Written {
  readonly files: CrashFs
  readonly timeline: readonly Allowed[]
  readonly checkpoints: number
  readonly deaths: number
}

export interface PowerCutOptions {
  readonly files?: CrashFsOptions
  /** Stands between the storage and its files: plants a mistake. */
  readonly plant?: (files: CrashFs) => FileLayer
  readonly steps?: number
  /** All checkpoints are discarded in the end. */
  readonly discards?: boolean
  readonly choices?: ChoiceOptions
  /** How many images deep recovery is cut again. */
  readonly depth?: number
  readonly retainedCheckpoints?: number
  readonly storage?: Pick<DirectoryOptions, 'encryption' | 'compression'>
}

export interface Verdict {
  images: number
  cuts: number
  nested: number
  checkpoints: number
  deaths: number
  readonly wrong: string[]
}

/** Writes a random history, cuts the power behind every operation of it, and recovers from what may be left. */
export async function powerCuts(seed: number, options: PowerCutOptions = {}): Promise<Verdict> {
  const random = chance(seed)
  const written = await writeHistory(random, seed, options)
  const verdict: Verdict = { images: 0, cuts: written.files.cuts + 1, nested: 0, checkpoints: written.checkpoints, deaths: written.deaths, wrong: [] }
  await cutEverywhere(written, random, seed, options, options.depth ?? 2, verdict)
  return verdict
}

async function cutEverywhere(
  written: Written,
  random: Chance,
  seed: number,
  options: PowerCutOptions,
  depth: number,
  verdict: Verdict,
): Promise<void> {
  const kinds = options.choices ?? { allSubsetsMax: 3, eachMax: 3 }
  let at = 0
  for (let cut = written.timeline[0]?.cut ?? 0; cut <= written.files.cuts; cut += 1) {
    while ((written.timeline[at + 1]?.cut ?? Number.POSITIVE_INFINITY) <= cut) at += 1
    const allowed = written.timeline[at]?.founds ?? []
    const powerCut = written.files.cutAt(cut)
    for (const survives of choices(powerCut.pieces, random, kinds)) {
      verdict.images += 1
      const image = powerCut.image(survives)
      const where = `seed ${seed}, cut ${cut} of ${written.files.cuts}, image ${verdict.images}`
      let session: CheckpointSession | undefined
      try {
        const before = image.cuts
        session = await must(modelDirectory(options.plant?.(image) ?? image, seed + verdict.images, { ...retained(options) }).open(job))
        const found = await recover(session)
        if (!allowed.some((one) => sameFound(one, found)))
          throw new Error(
            `found checkpoint ${found.checkpointId} with ${found.rows.size} rows instead of ${allowed.map((one) => one.checkpointId).join(' or ')}`,
          )
        // Now and then recovery goes on working, and is cut in turn.
        if (depth > 1 && verdict.images % 97 === 0) {
          verdict.nested += 1
          const timeline = [
            { cut: before, founds: [found] },
            { cut: image.cuts, founds: [found] },
          ]
          const id = found.checkpointId + 1
          const changes = someChanges(random)
          timeline.push({ cut: image.cuts, founds: [found, planned(found, id, changes)] })
          const after = await publishOn(session, found, id, changes)
          timeline.push({ cut: image.cuts, founds: [after] })
          await session.idle()()
          await cutEverywhere(
            { files: image, timeline, checkpoints: 1, deaths: 0 },
            random,
            seed,
            { ...options, choices: { allSubsetsMax: 2, eachMax: 1 } },
            depth - 1,
            verdict,
          )
        }
      } catch (error) {
        verdict.wrong.push(`${where}: ${(error as Error).message}`)
      }
      await session?.close()()
      if (image.openFiles !== 0) verdict.wrong.push(`${where}: ${image.openFiles} files stay open`)
      if (verdict.wrong.length > 0) return
    }
  }
}

const retained = ({ retainedCheckpoints, storage }: PowerCutOptions): DirectoryOptions => ({
  ...(retainedCheckpoints === undefined ? {} : { retainedCheckpoints }),
  ...storage,
})

function someChanges(random: Chance): readonly RowChange[] {
  return Array.from({ length: Math.floor(random() * 5) }, () => ({
    uid: random() < 0.5 ? 'a' : 'b',
    table: random() < 0.5 ? 'one' : 'two',
    key: Math.floor(random() * 9),
    deleted: random() < 0.3,
  }))
}

/** Publishes, gives up, merges, takes over after an orderly end and after the death of the process in the middle of a call. */
async function writeHistory(random: Chance, seed: number, options: PowerCutOptions): Promise<Written> {
  let files = new CrashFs(options.files)
  const timeline: Allowed[] = [{ cut: 0, founds: [nothing] }]
  let runs = 0
  const open = async (): Promise<CheckpointSession> =>
    must(modelDirectory(options.plant?.(files) ?? files, seed * 1_000 + runs++, retained(options)).open(job))
  let session = await open()
  let state = await recover(session)
  let checkpoints = 0
  let deaths = 0
  const steps = options.steps ?? 7
  for (let id = 1; id <= steps; id += 1) {
    const changes = someChanges(random)
    const draw = random()
    if (draw < 0.15) {
      const writer = session.begin(checkpointId(id))
      for (const chunk of chunksOf(changes, id)) await must(writer.write(chunk))
      await writer.abort()()
    } else if (draw < 0.3) {
      // The process dies at some call of this publish. Its ghost goes on in a world of its own.
      deaths += 1
      const dieAt = files.calls + Math.floor(random() * 14)
      const living = files
      let dead: CrashFs | undefined
      living.faults = (call) => {
        if (call.number >= dieAt) dead ??= living.afterProcessDeath()
        return undefined
      }
      const underWay = planned(state, id, changes)
      timeline.push({ cut: files.cuts, founds: [state, underWay] })
      await publishOn(session, state, id, changes)
      living.faults = undefined
      files = dead ?? living.afterProcessDeath()
      await session.close()()
      session = await open()
      const before = state
      state = await recover(session)
      if (!sameFound(state, before) && !sameFound(state, underWay))
        throw new Error(`seed ${seed}: after a process death neither the old nor the new checkpoint was found`)
      timeline.push({ cut: files.cuts, founds: [state] })
    } else {
      timeline.push({ cut: files.cuts, founds: [state, planned(state, id, changes)] })
      state = await publishOn(session, state, id, changes)
      timeline.push({ cut: files.cuts, founds: [state] })
      checkpoints += 1
      if (draw > 0.6) await session.idle()()
    }
    if (random() < 0.15) {
      await session.close()()
      session = await open()
      state = await recover(session)
    }
  }
  if (options.discards === true) {
    // What came before is cut by those that discard nothing.
    timeline.length = 0
    timeline.push({ cut: files.cuts, founds: [state, nothing] })
    await must((session.discard as NonNullable<CheckpointSession['discard']>)())
    timeline.push({ cut: files.cuts, founds: [nothing] })
  }
  await session.idle()()
  await session.close()()
  return { files, timeline, checkpoints, deaths }
}
