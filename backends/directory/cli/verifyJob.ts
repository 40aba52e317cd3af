/**
 * Checks the folder of a job, file by file, without taking part in it.
 *
 * **Invariants** Every byte that a checkpoint needs is read once, and compared with its checksum; frames and rows are opened. A job that
 * goes on removes and adds files meanwhile: what is missing counts where the newest manifest still names it afterwards.
 */
import { BackendError } from '../../../lib/errors.js'
import { readCells } from '../../../lib/state/cells.js'
import { readRows } from '../../../lib/state/rowFrames.js'
import { systemCodeOf } from '../failures.js'
import type { Folder } from '../folder.js'
import { extentOf, openEntries } from '../journal/entriesFile.js'
import { chainOf, entriesFilesOf } from '../journal/entriesNames.js'
import type { Manifest, Segment } from '../manifestFile.js'
import { parseName, slotFile, slotsOf } from '../names.js'
import { readSegment } from '../segmentFile.js'

export interface Finding {
  readonly file: string
  readonly code: string
  readonly reason: string
}

export interface Verified {
  readonly job: string
  readonly checkpoints: number
  /** What was read. */
  readonly files: number
  readonly bytes: number
  readonly rows: number
  readonly damage: readonly Finding[]
  /** Left behind by a crash, or not of ours: the next run removes what is ours. */
  readonly unneeded: readonly Pick<Finding, 'file' | 'reason'>[]
}

export interface Watching {
  /** So much will be read. */
  starts(bytes: number): void
  read(bytes: number): void
}

/** So often a job that goes on may move on while it is looked at. */
const attemptsMax = 5

export async function verifyJob(folder: Folder, job: string, watching: Watching): Promise<Verified> {
  for (let attempt = 1; ; attempt += 1) {
    const before = newest(await folder.names())
    const verified = await verifyOnce(folder, job, watching)
    if (verified.damage.length === 0 || attempt >= attemptsMax || newest(await folder.names()) === before) return verified
  }
}

const newest = (names: readonly string[]): number => Math.max(0, ...slotsOf(names))

async function verifyOnce(folder: Folder, job: string, watching: Watching): Promise<Verified> {
  const names = await folder.names()
  const damage: Finding[] = []
  const count = { files: 0, bytes: 0, rows: 0 }
  const manifests = await readManifests(folder, job, names, damage, count)
  const top = manifests.get(newest(names))
  const needed = neededBy(top, manifests, damage)
  watching.starts([...needed.segments.values()].reduce((sum, { bytes }) => sum + bytes, 0))
  for (const segment of needed.segments.values())
    await noted(segment.file, damage, async () => {
      await readSegment(folder, segment, ({ bytes }) => {
        readRows(bytes, (_key, value) => {
          count.rows += 1
          if (value !== undefined) readCells(value, () => {})
        })
        watching.read(bytes.length)
      })
      count.files += 1
      count.bytes += segment.bytes
    })
  const life = [...manifests.values()].at(-1)?.life
  await verifyJournal(folder, life, names, damage, count)
  return { job, checkpoints: top?.retained.length ?? 0, ...count, damage, unneeded: unneededIn(names, top, needed.slots) }
}

async function readManifests(
  folder: Folder,
  job: string,
  names: readonly string[],
  damage: Finding[],
  count: { files: number; bytes: number },
): Promise<ReadonlyMap<number, Manifest>> {
  const manifests = new Map<number, Manifest>()
  for (const seq of [...slotsOf(names)].sort((a, b) => a - b))
    await noted(slotFile(seq), damage, async () => {
      const manifest = await folder.read(seq)
      manifests.set(seq, manifest)
      count.files += 1
      count.bytes += (await folder.files.size(`${folder.path}/${slotFile(seq)}`)) ?? 0
      if (manifest.job !== job) throw new BackendError('BACKEND_NOT_OWNED', { reason: `it is of the job ${manifest.job}` })
    })
  if (manifests.size === 0 && names.some((name) => parseName(name)?.kind === 'segment'))
    damage.push({ file: '.', code: 'SNAPSHOT_CORRUPT', reason: 'there are segments but no manifest' })
  return manifests
}

/** What the checkpoints need that can be restored. */
function neededBy(
  top: Manifest | undefined,
  manifests: ReadonlyMap<number, Manifest>,
  damage: Finding[],
): { readonly segments: ReadonlyMap<string, Segment>; readonly slots: ReadonlySet<number> } {
  const segments = new Map<string, Segment>()
  const slots = new Set<number>()
  for (const { seq, checkpointId, segments: files } of top?.retained ?? []) {
    slots.add(seq)
    const manifest = manifests.get(seq)
    if (manifest === undefined) {
      if (!damage.some(({ file }) => file === slotFile(seq)))
        damage.push({ file: slotFile(seq), code: 'SNAPSHOT_CORRUPT', reason: `the manifest of checkpoint ${checkpointId} is missing` })
      continue
    }
    for (const segment of manifest.checkpoint?.segments ?? []) segments.set(segment.file, segment)
    const named = new Set(manifest.checkpoint?.segments.map(({ file }) => file))
    const differs = manifest.checkpoint?.checkpointId !== checkpointId || files.length !== named.size || files.some((file) => !named.has(file))
    if (differs)
      damage.push({
        file: slotFile(seq),
        code: 'SNAPSHOT_CORRUPT',
        reason: `it names other files than the newest does for checkpoint ${checkpointId}`,
      })
  }
  return { segments, slots }
}

async function verifyJournal(
  folder: Folder,
  life: string | undefined,
  names: readonly string[],
  damage: Finding[],
  count: { files: number; bytes: number },
): Promise<void> {
  if (!names.includes('journal')) return
  const path = `${folder.path}/journal`
  let end: number | undefined
  for (const { name, first } of chainOf(entriesFilesOf(await folder.files.list(path))))
    await noted(`journal/${name}`, damage, async () => {
      if (end !== undefined && first !== end) throw new BackendError('SNAPSHOT_CORRUPT', { reason: `entry ${end} is missing` })
      const reader = await openEntries(folder.files, path, name, folder.protection.within(life))
      try {
        const extent = await extentOf(reader, first)
        end = extent.end
        count.files += 1
        count.bytes += extent.bytes
      } finally {
        await reader.file.close()
      }
    })
}

function unneededIn(names: readonly string[], top: Manifest | undefined, slots: ReadonlySet<number>): Verified['unneeded'] {
  // Without the newest manifest nobody knows what is needed.
  if (top === undefined) return []
  const kept = new Set(top.retained.flatMap(({ segments }) => segments))
  return names.flatMap((file) => {
    const parsed = parseName(file)
    if (parsed === undefined) return file === 'journal' ? [] : [{ file, reason: 'it is none of ours; nobody removes it' }]
    if (parsed.kind === 'slot') return parsed.seq >= top.seq - 1 || slots.has(parsed.seq) ? [] : [{ file, reason: 'an earlier slot' }]
    if (parsed.kind === 'released') return parsed.epoch >= top.epoch ? [] : [{ file, reason: 'an earlier run has ended' }]
    if (parsed.kind === 'temporary') return [{ file, reason: 'a manifest that was never published, or is just being written' }]
    return kept.has(file) ? [] : [{ file, reason: 'no checkpoint names it: left behind, or just being written' }]
  })
}

/** What is wrong with a file is told, and the others are looked at. */
async function noted(file: string, damage: Finding[], look: () => Promise<void>): Promise<void> {
  try {
    await look()
  } catch (error) {
    if (error instanceof BackendError) {
      const { reason, ...rest } = error.details
      const found = rest['found'] === undefined ? '' : ` (found ${String(rest['found'])})`
      damage.push({ file, code: error.code, reason: `${reason === undefined ? error.message.replace(/ Hint: .*$/s, '') : String(reason)}${found}` })
    } else if (systemCodeOf(error) !== undefined) damage.push({ file, code: 'BACKEND_IO', reason: String((error as Error).message) })
    else throw error
  }
}
