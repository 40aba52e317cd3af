/**
 * What happens to media: bits flip, files become shorter, sectors vanish or change places, an older file is put back, one file holds
 * what belongs to another.
 */
import { option as O } from 'fp-ts'
import { DirectoryJournal } from '../../backends/directory/journal/directoryJournal.js'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { FileProtection, protectionSettings } from '../../backends/directory/sealing/fileProtection.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type Found, must, nothing, publishOn, readAll, recover, sameFound } from '../../laws/storageHistory.js'
import { RxweirError } from '../../lib/errors.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { finishedValues } from '../support/fileSinkTree.js'
import { committedLines } from '../support/parts.js'
import { sinkContext } from '../support/ports.js'
import { modelDirectory } from './directoryModel.js'

export interface DamageVerdict {
  cases: number
  /** Answered with a code. */
  noticed: number
  /** Nothing was different. */
  harmless: number
  readonly wrong: string[]
}

/** A reference that is damaged, and how it reads. */
interface Reference {
  readonly files: CrashFs
  /** The same files at an earlier moment. */
  readonly older: ReadonlyMap<string, Uint8Array>
  /** Reads all of it; what it answers is compared with what the undamaged files answer. */
  read(files: CrashFs, path: string, what: string): Promise<'the same' | string>
}

const sectorBytes = 64

export interface DamageOptions {
  /** Every so-manieth bit flips. */
  readonly bitStep?: number
}

function* damagesOf(
  path: string,
  bytes: Uint8Array,
  { files, older }: Reference,
  { bitStep = 1 }: DamageOptions,
): Generator<readonly [string, Uint8Array]> {
  for (let bit = 0; bit < bytes.length * 8; bit += bitStep) {
    const damaged = bytes.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    yield [`bit ${bit} flipped`, damaged]
  }
  for (let length = 0; length < bytes.length; length += bitStep) yield [`cut to ${length}`, bytes.slice(0, length)]
  yield ['a byte more', Uint8Array.of(...bytes, 0)]
  const sectors = Math.ceil(bytes.length / sectorBytes)
  const sector = (index: number): Uint8Array => bytes.subarray(index * sectorBytes, (index + 1) * sectorBytes)
  for (let one = 0; one < sectors; one += 1) {
    const zeroed = bytes.slice()
    zeroed.fill(0, one * sectorBytes, (one + 1) * sectorBytes)
    yield [`sector ${one} zeroed`, zeroed]
    for (let other = one + 1; other < sectors; other += 1) {
      if (sector(other).length !== sectorBytes) continue
      const swapped = bytes.slice()
      swapped.set(sector(other), one * sectorBytes)
      swapped.set(sector(one), other * sectorBytes)
      yield [`sectors ${one} and ${other} swapped`, swapped]
    }
  }
  for (const [name, others] of files.contents()) if (name !== path) yield [`with what ${name} holds`, others]
  const before = older.get(path)
  if (before !== undefined) yield ['as it was before', before]
}

/** Damages each file in each way, and reads. */
async function damaged(reference: Reference, options: DamageOptions): Promise<DamageVerdict> {
  const verdict: DamageVerdict = { cases: 0, noticed: 0, harmless: 0, wrong: [] }
  for (const [path, bytes] of reference.files.contents())
    for (const [what, instead] of damagesOf(path, bytes, reference, options)) {
      if (Buffer.compare(instead, bytes) === 0) continue
      const files = reference.files.settled()
      files.damage(path, instead)
      verdict.cases += 1
      try {
        const found = await reference.read(files, path, what)
        if (found === 'the same') verdict.harmless += 1
        else verdict.wrong.push(`${path} ${what}: ${found}`)
      } catch (error) {
        if (error instanceof RxweirError) verdict.noticed += 1
        else verdict.wrong.push(`${path} ${what}: ${String((error as Error).stack ?? error)}`)
      }
    }
  return verdict
}

const job = jobName('j')

/** Segments and manifests of three checkpoints. */
export async function damagedDirectory(options: DamageOptions = {}): Promise<DamageVerdict> {
  const files = new CrashFs()
  const session = await must(modelDirectory(files, 1, { compactAfterSegments: 8, retainedCheckpoints: 2 }).open(job))
  let expected: Found = await publishOn(session, await recover(session), 1, [{ uid: 'a', table: 'one', key: 0, deleted: false }])
  expected = await publishOn(session, expected, 2, [{ uid: 'b', table: 'two', key: 1, deleted: false }])
  const older = new Map([...files.contents()].map(([path, bytes]) => [path, bytes.slice()]))
  expected = await publishOn(session, expected, 3, [{ uid: 'a', table: 'one', key: 0, deleted: true }])
  await session.idle()()
  await session.close()()
  return damaged(
    {
      files,
      older,
      async read(damagedFiles) {
        const again = await must(modelDirectory(damagedFiles, 1).open(job))
        try {
          const latest = await must(again.latest())
          const found = O.isSome(latest) ? await readAll(latest.value) : nothing
          return sameFound(found, expected) ? 'the same' : `checkpoint ${found.checkpointId} was read silently`
        } finally {
          await again.close()()
        }
      },
    },
    options,
  )
}

const opened = (files: CrashFs, epoch: number): Promise<DirectoryJournal> =>
  DirectoryJournal.open({
    files,
    folder: '/journal',
    protection: new FileProtection('j', protectionSettings({})),
    epoch,
    requireWriter: () => undefined,
    fileBytes: 90,
  })

async function entriesOf(journal: DirectoryJournal): Promise<readonly string[]> {
  const found: string[] = []
  for (let next = journal.first; next < journal.end; ) {
    const entries = await unwrap(journal.read(next, 100))
    found.push(...entries)
    next += entries.length
  }
  return found
}

/**
 * Entries in several files. What the end of the last file lost cannot be told from what was never written: there an earlier end is no
 * wrong answer, and a checkpoint that knows of later entries is refused. Where a bit has flipped, it is the last group
 * at most.
 */
export async function damagedJournal(options: DamageOptions = {}): Promise<DamageVerdict> {
  const files = new CrashFs()
  const journal = await opened(files, 1)
  const groups = [
    ['a', 'bb'],
    ['a longer entry, so that a file is full', 'c'],
    ['d'],
    ['another long entry, which takes some room', ''],
    ['e', 'f'],
    ['g'],
  ]
  for (const group of groups) await unwrap(journal.append(group))
  await journal.close()()
  const all = groups.flat()
  const lastGroup = groups.at(-1)?.length ?? 0
  const last = [...files.contents().keys()].sort().at(-1)
  const older = new Map([...files.contents()].map(([path, bytes]) => [path, bytes.slice(0, bytes.length - 20)]))
  return damaged(
    {
      files,
      older,
      async read(damagedFiles, path, what) {
        const again = await opened(damagedFiles, 2)
        try {
          const found = await entriesOf(again)
          const text = JSON.stringify(found)
          if (text === JSON.stringify(all)) return 'the same'
          const shorter = /^cut|^as it was|^sector/.test(what) ? JSON.stringify(all.slice(0, found.length)) : JSON.stringify(all.slice(0, -lastGroup))
          if (path === last && text === shorter) return 'the same'
          return `entries ${text} were read silently`
        } finally {
          await again.close()()
        }
      },
    },
    options,
  )
}

/** Parts that wait for their commit, which a later process does; what readers have seen before is not ours any more. */
async function damagedParts(
  sinkOf: (files: CrashFs) => TransactionalSink<string>,
  committed: (files: CrashFs) => Promise<readonly unknown[]>,
  options: DamageOptions,
): Promise<DamageVerdict> {
  const files = new CrashFs()
  const writer = await unwrap(sinkOf(files).open(sinkContext(1)))
  await unwrap(writer.abortOthers())
  const handles: TransactionHandle[] = []
  const transaction = async (id: number, ...values: readonly string[]): Promise<void> => {
    for (const value of values) writer.write(value, undefined, undefined)
    const handle = await unwrap(writer.preCommit(checkpointId(id)))
    if (O.isSome(handle)) handles.push(JSON.parse(JSON.stringify(handle.value)))
  }
  await transaction(1, 'one', 'two')
  await unwrap(writer.commit(handles.shift() as TransactionHandle))
  const older = new Map([...files.contents()].map(([path, bytes]) => [path, bytes.slice()]))
  await transaction(2, 'three '.repeat(12), 'four')
  await transaction(3, 'five')
  const expected = async (from: CrashFs): Promise<readonly unknown[]> => {
    const later = await unwrap(sinkOf(from).open(sinkContext(2)))
    try {
      await unwrap(later.committedUpTo())
      for (const handle of handles) await unwrap(later.commit(handle))
      await unwrap(later.abortOthers())
      if (later.endOfInput !== undefined) later.endOfInput()
      const end = await unwrap(later.preCommit(checkpointId(4)))
      if (O.isSome(end)) await unwrap(later.commit(end.value))
    } finally {
      await later.close()()
    }
    return committed(from)
  }
  const all = JSON.stringify(await expected(files.settled()))
  const visible = (path: string): boolean => /^part-/.test(path.slice(path.lastIndexOf('/') + 1))
  return damaged(
    {
      files,
      older,
      async read(damagedFiles, path) {
        const found = await expected(damagedFiles).catch((error: unknown) => {
          // What readers see is read by nobody here; a line that is none any more is theirs to find.
          if (visible(path) && !(error instanceof RxweirError)) return undefined
          throw error
        })
        if (visible(path)) return 'the same'
        return JSON.stringify(found) === all ? 'the same' : `${JSON.stringify(found)} was committed silently`
      },
    },
    options,
  )
}

export const damagedJsonLines = (options: DamageOptions = {}): Promise<DamageVerdict> =>
  damagedParts(
    (files) => jsonLinesSink<string>('/out', { files }),
    (files) => committedLines(files, '/out'),
    options,
  )

export const damagedFileSink = (options: DamageOptions = {}): Promise<DamageVerdict> =>
  damagedParts(
    (files) => fileSink<string>('/out', { files, rolling: { sizeMax: 60 } }),
    (files) => finishedValues(files, '/out'),
    options,
  )
