/** References of each format that is stored, and what damage to them comes to. */
import { option as O } from 'fp-ts'
import type { DirectoryOptions } from '../../backends/directory/directory.js'
import { DirectoryJournal } from '../../backends/directory/journal/directoryJournal.js'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { FileProtection, type ProtectionOptions, protectionSettings } from '../../backends/directory/sealing/fileProtection.js'
import { CrashFs } from '../../laws/crashFs.js'
import { chance } from '../../laws/crashFsChoices.js'
import { applied, type Found, must, nothing, publishOn, readAll, recover, sameFound } from '../../laws/storageHistory.js'
import { RxweirError } from '../../lib/errors.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import { KeyValueJournal } from '../../lib/keyValue/keyValueJournal.js'
import { KeyValueSession } from '../../lib/keyValue/keyValueSession.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { Journal } from '../../lib/ports/journal.js'
import type { TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'
import { finishedValues } from '../support/fileSinkTree.js'
import { type Entries, mapStore, Stored } from '../support/mapStore.js'
import { committedLines } from '../support/parts.js'
import { sinkContext } from '../support/ports.js'
import { encryption } from '../support/sealingKeys.js'
import { type DamageOptions, type DamageVerdict, damaged, noDamage } from './damages.js'
import { modelDirectory, modelOptions } from './directoryModel.js'
import { feedHostile } from './hostileInputs.js'

const job = jobName('j')

type Protection = Pick<DirectoryOptions, 'encryption' | 'compression'>

const random = chance(1)
/** Text that gets little shorter by being compressed. */
const noise = String.fromCharCode(...Array.from({ length: 90 }, () => 33 + Math.floor(random() * 90)))

/** So many groups of entries at most make a reference as large as it has to be. */
const roundsMax = 200

const sizeOf = (contents: Iterable<readonly [string, Uint8Array]>): number => [...contents].reduce((sum, [, { length }]) => sum + length, 0)
const copied = (contents: Iterable<readonly [string, Uint8Array]>): ReadonlyMap<string, Uint8Array> =>
  new Map([...contents].map(([path, bytes]) => [path, bytes.slice()]))

/** Files of which one has other bytes. */
function changed(files: CrashFs, path: string, instead: Uint8Array): CrashFs {
  const copy = files.settled()
  copy.damage(path, instead)
  return copy
}

/** Whatever is read, and however that ends: no file stays open. */
async function closing(files: CrashFs, read: (files: CrashFs) => Promise<'the same' | string>): Promise<'the same' | string> {
  const result = await read(files).catch((error: unknown) => {
    if (files.openFiles === 0) throw error
    return String(error)
  })
  return files.openFiles === 0 ? result : `${files.openFiles} files stay open, and: ${result}`
}

/** A checkpoint of some KiB that get little shorter by being compressed. */
async function publishNoise(session: CheckpointSession, before: Found, id: number): Promise<Found> {
  const frames = new RowFrames(8 * 1024)
  for (let row = 0; row < 20; row += 1)
    frames.add(
      Uint8Array.of(9, row, id),
      Uint8Array.from({ length: 20 + 37 * row }, () => Math.floor(random() * 256)),
    )
  const chunk = { uid: operatorUid('a'), table: 'one', rows: 20, bytes: frames.take() }
  const writer = session.begin(checkpointId(id))
  await must(writer.write(chunk))
  await must(writer.publish({ id }))
  return { checkpointId: id, body: JSON.stringify({ id }), rows: applied(before.rows, [chunk]) }
}

/** Three checkpoints and as many more as it takes; and what was there before the last of them. */
async function checkpoints(session: CheckpointSession, contents: () => Iterable<readonly [string, Uint8Array]>, { bytesMin = 0 }: DamageOptions) {
  let expected: Found = await publishOn(session, await recover(session), 1, [{ uid: 'a', table: 'one', key: 0, deleted: false }])
  expected = await publishOn(session, expected, 2, [{ uid: 'b', table: 'two', key: 1, deleted: false }])
  let id = 2
  while (sizeOf(contents()) < bytesMin) expected = await publishNoise(session, expected, (id += 1))
  const older = copied(contents())
  expected = await publishOn(session, expected, id + 1, [{ uid: 'a', table: 'one', key: 0, deleted: true }])
  await session.idle()()
  await session.close()()
  return { expected, older }
}

/** What stands in a storage has to be these, or is refused. */
async function found(session: CheckpointSession, expected: Found): Promise<'the same' | string> {
  try {
    const latest = await must(session.latest())
    const read = O.isSome(latest) ? await readAll(latest.value) : nothing
    return sameFound(read, expected) ? 'the same' : `checkpoint ${read.checkpointId} was read silently`
  } finally {
    await session.close()()
  }
}

/** Segments and manifests. */
export async function damagedDirectory(options: DamageOptions = {}, protection: Protection = {}): Promise<DamageVerdict> {
  const files = new CrashFs()
  const session = await must(modelDirectory(files, 1, { compactAfterSegments: 1_000, retainedCheckpoints: 2, ...protection }).open(job))
  const { expected, older } = await checkpoints(session, () => files.contents(), options)
  return damaged(
    {
      contents: files.contents(),
      older,
      read: (path, instead = new Uint8Array()) =>
        closing(changed(files, path, instead), async (copy) => found(await must(modelDirectory(copy, 1, protection).open(job)), expected)),
    },
    options,
  )
}

const keyValueSession = (stored: Stored): CheckpointSession =>
  new KeyValueSession(mapStore(stored), {
    job,
    retainedCheckpoints: 2,
    clock: modelOptions(1).clock as NonNullable<ReturnType<typeof modelOptions>['clock']>,
    readOnly: false,
    closing() {},
  })

const namesOf = (entries: Entries): ReadonlyMap<string, Uint8Array> =>
  new Map([...entries].map(([key, value]) => [Buffer.from(key, 'latin1').toString('hex'), value]))

/** The entries of a store of which one has another value, or none. */
const changedEntries = (entries: Entries, name: string, instead: Uint8Array | undefined): Stored => {
  const copy = new Map(entries)
  const key = Buffer.from(name, 'hex').toString('latin1')
  if (instead === undefined) copy.delete(key)
  else copy.set(key, instead)
  return new Stored(copy)
}

/** The head comes first: where it is gone, nothing was ever written. What lies under which key is for the store to know. */
export async function damagedKeyValue(options: DamageOptions = {}): Promise<DamageVerdict> {
  const stored = new Stored()
  const { expected, older } = await checkpoints(keyValueSession(stored), () => namesOf(stored.entries), options)
  const { entries } = stored
  // Rows as they were before the newest checkpoint are not read.
  const contents = new Map([...namesOf(entries)].filter(([name]) => !name.startsWith('04')))
  return damaged(
    {
      contents,
      older: new Map([...older].filter(([name]) => name.startsWith('01'))),
      needed: (name) => name !== '01',
      async read(name, instead, what) {
        if (name !== '01' && what.startsWith('with what')) return 'the same'
        const read = found(keyValueSession(changedEntries(entries, name, instead)), expected)
        // A head that is older knows of older checkpoints only: as a whole store that is older does.
        return what.startsWith('as it was') ? read.then(() => 'the same' as const) : read
      },
    },
    options,
  )
}

const journalAt = (files: CrashFs, epoch: number, fileBytes: number, protection: ProtectionOptions): Promise<DirectoryJournal> =>
  DirectoryJournal.open({
    files,
    folder: '/journal',
    protection: new FileProtection('j', protectionSettings(protection)),
    epoch,
    requireWriter: () => undefined,
    fileBytes,
  })

/** What is read, provided that reading gets on. */
async function entriesOf(journal: Journal): Promise<readonly string[]> {
  const read: string[] = []
  for (let next = journal.first; next < journal.end; ) {
    const entries = await unwrap(journal.read(next, 100))
    if (entries.length === 0) throw new Error(`nothing is read at ${next}, before the end at ${journal.end}`)
    read.push(...entries)
    next += entries.length
  }
  return read
}

const groups = [
  ['a', 'bb'],
  ['a longer entry, so that a file is full', 'c'],
  ['d'],
  ['another long entry, which takes some room', ''],
  ['e', 'f'],
  ['g'],
]

/** Appends groups, as many as it takes; answers them all. */
async function appended(
  journal: Journal,
  contents: () => Iterable<readonly [string, Uint8Array]>,
  { bytesMin = 0 }: DamageOptions,
): Promise<readonly (readonly string[])[]> {
  const all: (readonly string[])[] = []
  do
    for (const group of groups) {
      const own = all.length < groups.length ? group : group.map((entry) => `${entry} ${all.length} ${noise.repeat((all.length * 7) % 5)}`)
      await unwrap(journal.append(own))
      all.push(own)
    }
  while (sizeOf(contents()) < bytesMin && all.length < groups.length * roundsMax)
  return all
}

/**
 * Entries in several files. What the end of the last file lost cannot be told from what was never written: there an earlier end is no
 * wrong answer, and a checkpoint that knows of later entries is refused. Where a bit has flipped, it is the last group
 * at most.
 */
export async function damagedJournal(options: DamageOptions = {}, protection: ProtectionOptions = {}): Promise<DamageVerdict> {
  const files = new CrashFs()
  const fileBytes = options.bytesMin === undefined ? 90 : options.bytesMin / 3
  const journal = await journalAt(files, 1, fileBytes, protection)
  const all = await appended(journal, () => files.contents(), options)
  await journal.close()()
  const contents = files.contents()
  const last = [...contents.keys()].sort().at(-1)
  const older = new Map([...contents].map(([path, bytes]) => [path, bytes.slice(0, bytes.length - 20)]))
  const entries = all.flat()
  const text = JSON.stringify(entries)
  const shorter = JSON.stringify(all.slice(0, -1).flat())
  return damaged(
    {
      contents,
      older,
      read: (path, instead = new Uint8Array(), what) =>
        closing(changed(files, path, instead), async (copy) => {
          const again = await journalAt(copy, 2, fileBytes, protection)
          try {
            const read = await entriesOf(again)
            const now = JSON.stringify(read)
            if (now === text) return 'the same'
            const prefix = /^cut|^as it was|^sector/.test(what) ? JSON.stringify(entries.slice(0, read.length)) : shorter
            return path === last && now === prefix ? 'the same' : `entries ${now} were read silently`
          } finally {
            await again.close()()
          }
        }),
    },
    options,
  )
}

/** Entries under keys: not one may be missing, another, or in the place of another. */
export async function damagedKeyValueJournal(options: DamageOptions = {}): Promise<DamageVerdict> {
  const stored = new Stored()
  const journal = await KeyValueJournal.open(mapStore(stored), async () => undefined)
  const all = (await appended(journal, () => namesOf(stored.entries), options)).flat()
  // What was trimmed is gone, and its place is known.
  await unwrap(journal.trim(3))
  const older = copied(namesOf(stored.entries))
  all.push('the last one')
  await unwrap(journal.append(all.slice(-1)))
  await journal.close()()
  const { entries } = stored
  return damaged(
    {
      contents: namesOf(entries),
      older,
      needed: () => true,
      async read(name, instead) {
        const again = await KeyValueJournal.open(mapStore(changedEntries(entries, name, instead)), async () => undefined)
        const read = [...(await entriesOf(again))]
        // A read may begin anywhere.
        for (let from = again.first; from < again.end; from += 1)
          if ((await unwrap(again.read(from, 1)))[0] !== read[from - again.first]) return `entry ${from} is read in two ways`
        return again.first === 3 && JSON.stringify(read) === JSON.stringify(all.slice(3))
          ? 'the same'
          : `entries ${JSON.stringify(read)} were read silently`
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
  const older = copied(files.contents())
  await transaction(2, 'three '.repeat(12), 'four')
  await transaction(3, 'five', ...Array.from({ length: (options.bytesMin ?? 0) / 64 }, (_, number) => `value ${number} `.padEnd(64, 'x')))
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
      contents: files.contents(),
      older,
      async read(path, instead = new Uint8Array()) {
        const committedThen = await expected(changed(files, path, instead)).catch((error: unknown) => {
          // What readers see is read by nobody here; a line that is none any more is theirs to find.
          if (visible(path) && !(error instanceof RxweirError)) return undefined
          throw error
        })
        if (visible(path)) return 'the same'
        return JSON.stringify(committedThen) === all ? 'the same' : `${JSON.stringify(committedThen)} was committed silently`
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
    (files) => fileSink<string>('/out', { files, rolling: { sizeMax: Math.max(60, (options.bytesMin ?? 0) / 4) } }),
    (files) => finishedValues(files, '/out'),
    options,
  )

/** What is compressed or sealed is stored in format 2. */
const sealed: Protection = { encryption: encryption(1) }
const compressed: Protection = { compression: 'zlib' }

/** Every format that is stored. */
export const damagedFormats: { readonly [format: string]: (options: DamageOptions) => Promise<DamageVerdict> } = {
  'segments and manifests': damagedDirectory,
  'segments and manifests that are sealed': (options) => damagedDirectory(options, sealed),
  'segments and manifests that are compressed': (options) => damagedDirectory(options, compressed),
  'files of a journal': damagedJournal,
  'files of a journal that are compressed and sealed': (options) => damagedJournal(options, { ...compressed, ...sealed }),
  'checkpoints in keys and values': damagedKeyValue,
  'a journal in keys and values': damagedKeyValueJournal,
  'parts of lines that wait for their commit': damagedJsonLines,
  'parts that roll, and go on in a later process': damagedFileSink,
}

export interface EveryFormatOptions {
  readonly seed: number
  /** So many bits flip in each format, evenly over a reference of 16 KiB: all of them from 131,072 on. */
  readonly flips: number
  /** So many inputs that somebody else wrote are fed to the decoders, in all. */
  readonly hostile: number
  /** How large each reference is at least: 16 KiB unless told. */
  readonly bytes?: number
}

export interface EveryFormatVerdict extends DamageVerdict {
  readonly formats: number
  /** Inputs that were fed to decoders. */
  hostile: number
}

const referenceBytes = 16 * 1024

/** Damages a reference of each format, and feeds each decoder. */
export async function damageEveryFormat({ seed, flips, hostile, bytes = referenceBytes }: EveryFormatOptions): Promise<EveryFormatVerdict> {
  const verdict: EveryFormatVerdict = { ...noDamage(), formats: Object.keys(damagedFormats).length, hostile: 0 }
  for (const [format, damage] of Object.entries(damagedFormats)) {
    const one = await damage({ flips, seed, bytesMin: bytes })
    verdict.cases += one.cases
    verdict.flips += one.flips
    verdict.noticed += one.noticed
    verdict.harmless += one.harmless
    verdict.wrong.push(...one.wrong.map((what) => `${format}: ${what}`))
  }
  const fed = await feedHostile({ seed, runs: hostile })
  verdict.hostile = fed.runs
  verdict.wrong.push(...fed.wrong)
  return verdict
}
