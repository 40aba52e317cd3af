import { DirectoryJournal } from '../../backends/directory/journal/directoryJournal.js'
import { FileProtection, type ProtectionOptions, protectionSettings } from '../../backends/directory/sealing/fileProtection.js'
import { CrashFs, type CrashFsOptions } from '../../laws/crashFs.js'
import { type Chance, type ChoiceOptions, chance, choices } from '../../laws/crashFsChoices.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { unwrap } from '../../lib/task.js'

/** What a power cut from `cut` on has to leave. */
interface Expected {
  readonly cut: number
  /** Entries below are acknowledged. */
  readonly acknowledged: number
  /** Entries below may have been trimmed. */
  readonly trimmed: number
}

export interface JournalVerdict {
  images: number
  nested: number
  acknowledged: number
  /** Images in which a file had been removed by a trim. */
  trimmed: number
  readonly wrong: string[]
}

export interface JournalCutOptions {
  readonly files?: CrashFsOptions
  readonly plant?: (files: CrashFs) => FileLayer
  readonly depth?: number
  readonly protection?: ProtectionOptions
}

const textOf = (number: number): string => `entry ${number} ${'x'.repeat(number % 37)}`

/** Opens journals after one another, each with the epoch after the last. */
function opened(files: FileLayer, epoch: number, { protection = {} }: JournalCutOptions): Promise<DirectoryJournal> {
  const settled = new FileProtection('j', protectionSettings(protection))
  // What stands before the first group of a sealed file counts, too.
  const fileBytes = protection.encryption === undefined ? 120 : 360
  return DirectoryJournal.open({ files, folder: '/journal', protection: settled, epoch, requireWriter: () => undefined, fileBytes })
}

/** Writes a random history, cuts the power behind every operation, and looks for what was acknowledged. */
export async function journalPowerCuts(seed: number, options: JournalCutOptions = {}): Promise<JournalVerdict> {
  const random = chance(seed)
  const files = new CrashFs(options.files)
  const verdict: JournalVerdict = { images: 0, nested: 0, acknowledged: 0, trimmed: 0, wrong: [] }
  const timeline = await history(files, options.plant?.(files) ?? files, random, 1, { acknowledged: 0, trimmed: 0 }, 14, options)
  verdict.acknowledged = timeline.at(-1)?.acknowledged ?? 0
  await cutEverywhere(files, timeline, 100, random, seed, options, options.depth ?? 2, verdict)
  return verdict
}

async function history(
  files: CrashFs,
  layer: FileLayer,
  random: Chance,
  firstEpoch: number,
  start: { readonly acknowledged: number; readonly trimmed: number },
  steps: number,
  options: JournalCutOptions,
): Promise<readonly Expected[]> {
  const timeline: Expected[] = []
  let { acknowledged, trimmed } = start
  const note = (): unknown => timeline.push({ cut: files.cuts, acknowledged, trimmed })
  let epoch = firstEpoch
  note()
  let journal = await opened(layer, epoch, options)
  for (let step = 0; step < steps; step += 1) {
    const what = random()
    if (what < 0.7) {
      const count = 1 + Math.floor(random() * 4)
      await unwrap(journal.append(Array.from({ length: count }, (_, index) => textOf(acknowledged + index))))
      acknowledged += count
    } else if (what < 0.85) {
      trimmed += Math.floor(random() * (acknowledged - trimmed + 1))
      note()
      await unwrap(journal.trim(trimmed))
    } else {
      await journal.close()()
      epoch += 1
      journal = await opened(layer, epoch, options)
    }
    note()
  }
  await journal.close()()
  return timeline
}

async function cutEverywhere(
  files: CrashFs,
  timeline: readonly Expected[],
  epoch: number,
  random: Chance,
  seed: number,
  options: JournalCutOptions,
  depth: number,
  verdict: JournalVerdict,
): Promise<void> {
  const kinds: ChoiceOptions = { allSubsetsMax: 3, eachMax: 2 }
  let at = 0
  for (let cut = timeline[0]?.cut ?? 0; cut <= files.cuts; cut += 1) {
    while ((timeline[at + 1]?.cut ?? Number.POSITIVE_INFINITY) <= cut) at += 1
    const expected = timeline[at] as Expected
    const powerCut = files.cutAt(cut)
    for (const survives of choices(powerCut.pieces, random, kinds)) {
      verdict.images += 1
      const image = powerCut.image(survives)
      try {
        const before = image.cuts
        const journal = await opened(options.plant?.(image) ?? image, epoch, options)
        await check(journal, expected, verdict)
        if (depth > 1 && verdict.images % 61 === 0) {
          verdict.nested += 1
          const { end } = journal
          await journal.close()()
          const next = await history(
            image,
            options.plant?.(image) ?? image,
            random,
            epoch + 1,
            { acknowledged: end, trimmed: expected.trimmed },
            4,
            options,
          )
          const behind = [{ cut: before, acknowledged: expected.acknowledged, trimmed: expected.trimmed }, ...next]
          await cutEverywhere(image, behind, epoch + 100, random, seed, options, depth - 1, verdict)
        } else await journal.close()()
      } catch (error) {
        verdict.wrong.push(`seed ${seed}, cut ${cut} of ${files.cuts}, image ${verdict.images}: ${(error as Error).message}`)
      }
      if (image.openFiles !== 0) verdict.wrong.push(`seed ${seed}, cut ${cut}: ${image.openFiles} files stay open`)
      if (verdict.wrong.length > 0) return
    }
  }
}

async function check(journal: DirectoryJournal, { acknowledged, trimmed }: Expected, verdict: JournalVerdict): Promise<void> {
  const { first, end } = journal
  if (first > 0) verdict.trimmed += 1
  if (first > trimmed) throw new Error(`entry ${trimmed} is gone: the first is ${first}`)
  if (end < acknowledged) throw new Error(`entry ${end} is lost: ${acknowledged} were acknowledged`)
  for (let number = first; number < end; ) {
    const entries = await unwrap(journal.read(number, 5))
    for (const entry of entries) {
      if (entry !== textOf(number)) throw new Error(`entry ${number} reads ${JSON.stringify(entry)}`)
      number += 1
    }
  }
}
