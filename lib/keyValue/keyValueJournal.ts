/**
 * A journal in a store of keys and values: an entry a key.
 *
 * **Invariants** Entries and the bounds of the journal change in one step, provided that nobody has taken over. What is appended while a
 * step is under way goes together into the next one. After a failed append nothing is appended any more. Each entry knows how many bytes
 * all have had up to its end: one that is missing, or stands in the place of another, is told when it is read.
 */

import { either as E, type task, type taskEither } from 'fp-ts'
import * as t from 'io-ts'
import { BackendError, invariant } from '../errors.js'
import type { Journal } from '../ports/journal.js'
import type { KeyValue, KeyValueReads, KeyValueStore } from '../ports/keyValueStore.js'
import { UnderWay } from '../underWay.js'
import { attempt } from './attempt.js'
import { boundsPlace, entriesBetween, entryPlace } from './places.js'
import { sealed, sealedText, unsealed, unsealedJson } from './sealed.js'

/** About so many bytes go into one step, and so many entries come out of one. */
const stepBytesMax = 1024 * 1024
const stepEntriesMax = 256

/** The numbers of the first entry and of the next one, and how many bytes all entries before those had. */
const Bounds = t.type({ first: t.number, end: t.number, bytesBefore: t.number, bytesUpTo: t.number })
const isPossible = ({ first, end, bytesBefore, bytesUpTo }: Bounds): boolean =>
  [first, end - first, bytesBefore, bytesUpTo - bytesBefore].every((each) => Number.isSafeInteger(each) && each >= 0)
type Bounds = t.TypeOf<typeof Bounds>

/** An entry is told how many bytes all have had up to its end, so that a trim knows what it saves. */
const positionBytes = 8
const utf8 = new TextEncoder()
/** Whatever an entry begins with is its own. */
const utf8Text = new TextDecoder('utf-8', { ignoreBOM: true })

interface Waiting {
  readonly entries: readonly string[]
  readonly resolve: (result: E.Either<BackendError, void>) => void
}

export class KeyValueJournal implements Journal {
  private waiting: Waiting[] = []
  private appending: Promise<void> | undefined
  private readonly underWay = new UnderWay()
  private dead: BackendError | undefined
  private closed = false

  private constructor(
    private readonly store: KeyValueStore,
    private readonly requireWriter: (at: KeyValueReads) => Promise<unknown>,
    private bounds: Bounds,
  ) {}

  /** @param requireWriter - throws once somebody else has taken over, or the session is closed */
  static async open(store: KeyValueStore, requireWriter: (at: KeyValueReads) => Promise<unknown>): Promise<KeyValueJournal> {
    const bounds = await store.read(async (at) => {
      const found = await readBounds(at)
      const behind = await at.keys(entriesBetween(found.end, Number.MAX_SAFE_INTEGER), 1)
      if (behind.length > 0) throw damage(`there are entries from ${found.end} on that its bounds do not know`)
      return found
    })
    return new KeyValueJournal(store, requireWriter, bounds)
  }

  get first(): number {
    return this.bounds.first
  }

  get end(): number {
    return this.bounds.end
  }

  get bytes(): number {
    return this.bounds.bytesUpTo - this.bounds.bytesBefore
  }

  append(entries: readonly string[]): taskEither.TaskEither<BackendError, void> {
    return () => {
      if (this.closed || this.dead !== undefined) return Promise.resolve(E.left(this.dead ?? journalClosed()))
      return new Promise((resolve) => {
        this.waiting.push({ entries, resolve })
        this.appending ??= this.appendWaiting()
      })
    }
  }

  read(from: number, entriesMax: number): taskEither.TaskEither<BackendError, readonly string[]> {
    return this.task(async () => {
      invariant(from >= this.bounds.first, 'what is read is kept')
      const to = Math.min(from + Math.min(entriesMax, stepEntriesMax), this.bounds.end)
      if (from >= to) return []
      return this.store.read(async (at) => {
        await this.requireWriter(at)
        const bounds = await readBounds(at)
        // The one before it says where the first one begins.
        const start = Math.max(bounds.first, from - 1)
        const entries = await at.entries(entriesBetween(start, to), to - start)
        return readEntries(entries, { start, to, bounds }).slice(from - start)
      })
    })
  }

  trim(before: number): taskEither.TaskEither<BackendError, void> {
    return this.task(async () => {
      const to = Math.min(before, this.bounds.end)
      while (this.bounds.first < to) {
        const upTo = Math.min(to, this.bounds.first + stepEntriesMax)
        this.bounds = await this.store.write(async (at) => {
          await this.requireWriter(at)
          // What is appended meanwhile moves the other end.
          const bounds = await readBounds(at)
          const [last] = await at.get([entryPlace(upTo - 1)])
          if (last === undefined) throw damage(`entry ${upTo - 1} is missing`)
          for (let number = bounds.first; number < upTo; number += 1) at.remove(entryPlace(number))
          const trimmed = { ...bounds, first: upTo, bytesBefore: positionOf(unsealed(last, `entry ${upTo - 1} of the journal`)) }
          at.put(boundsPlace, sealedText(JSON.stringify(trimmed)))
          return trimmed
        })
      }
    })
  }

  close(): task.Task<void> {
    return async () => {
      this.closed = true
      await this.appending
      await this.underWay.ended()
    }
  }

  private async appendWaiting(): Promise<void> {
    for (let group = this.nextGroup(); group.length > 0; group = this.nextGroup()) {
      const result: E.Either<BackendError, void> = this.dead === undefined ? await this.appendGroup(group)() : E.left(this.dead)
      if (E.isLeft(result)) this.dead ??= new BackendError(result.left.code, { ...result.left.details, fatal: true }, { cause: result.left })
      for (const { resolve } of group) resolve(this.dead === undefined ? result : E.left(this.dead))
    }
    this.appending = undefined
  }

  /** What waits, up to about the bytes of one step. */
  private nextGroup(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const { entries } of this.waiting) {
      if (count > 0 && bytes > stepBytesMax) break
      count += 1
      for (const entry of entries) bytes += entry.length
    }
    return this.waiting.splice(0, count)
  }

  private appendGroup(group: readonly Waiting[]): taskEither.TaskEither<BackendError, void> {
    return attempt(async () => {
      this.bounds = await this.store.write(async (at) => {
        await this.requireWriter(at)
        const bounds = { ...(await readBounds(at)) }
        for (const { entries } of group)
          for (const entry of entries) {
            const text = utf8.encode(entry)
            bounds.bytesUpTo += text.length
            at.put(entryPlace(bounds.end), sealed(positioned(bounds.bytesUpTo, text)))
            bounds.end += 1
          }
        at.put(boundsPlace, sealedText(JSON.stringify(bounds)))
        return bounds
      })
    })
  }

  private task<A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A> {
    return () => {
      if (this.closed) return Promise.resolve(E.left(journalClosed()))
      const running = attempt(work)()
      this.underWay.add(running)
      return running
    }
  }
}

const journalClosed = (): BackendError => new BackendError('BACKEND_NOT_OPEN', { reason: 'the journal is closed' })

const damage = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what: 'the journal', reason })

/** The texts of the entries from `start` to `to`. Throws where one is missing, or is none of these bounds. */
function readEntries(
  entries: readonly KeyValue[],
  { start, to, bounds }: { readonly start: number; readonly to: number; readonly bounds: Bounds },
): readonly string[] {
  let before = start === bounds.first ? bounds.bytesBefore : undefined
  const texts: string[] = []
  for (let number = start; number < to; number += 1) {
    const [place, value] = entries[number - start] ?? []
    if (place === undefined || value === undefined || !sameBytes(place, entryPlace(number))) throw damage(`entry ${number} is missing`)
    const entry = unsealed(value, `entry ${number} of the journal`)
    const text = entry.subarray(positionBytes)
    const position = entry.length < positionBytes ? Number.NaN : positionOf(entry)
    if (position !== (before === undefined ? position : before + text.length) || (number + 1 === bounds.end && position !== bounds.bytesUpTo))
      throw damage(`entry ${number} is another one`)
    before = position
    texts.push(utf8Text.decode(text))
  }
  return texts
}

async function readBounds(at: KeyValueReads): Promise<Bounds> {
  const [value] = await at.get([boundsPlace])
  if (value === undefined) return { first: 0, end: 0, bytesBefore: 0, bytesUpTo: 0 }
  const stored = unsealedJson(value, 'the bounds of the journal')
  if (!Bounds.is(stored) || !isPossible(stored))
    throw new BackendError('SNAPSHOT_CORRUPT', { what: 'the bounds of the journal', reason: 'they are not as they should be' })
  return stored
}

function positioned(position: number, text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(positionBytes + text.length)
  new DataView(bytes.buffer).setFloat64(0, position)
  bytes.set(text, positionBytes)
  return bytes
}

const positionOf = (entry: Uint8Array): number => new DataView(entry.buffer, entry.byteOffset).getFloat64(0)

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index])
