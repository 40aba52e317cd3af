/**
 * What comes into a pipeline from plain Observables: noted down in one sequence, then handed to the graph in that order.
 *
 * **Invariants** With a journal a value enters the graph only after it is durable. Values get their numbers in the order in which
 * they arrive, over all inputs. What was noted down and lies behind the restored offset is handed on first, once. Nothing waits
 * without a limit: values that arrive faster than the journal takes them down, and entries that the graph has not read, have one.
 *
 * **Fault model** The journal may fail at any append: the run ends with its error, and what was acknowledged is found by the next.
 */
import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import { RestoreError, RxweirError, StreamError } from '../errors.js'
import type { Journal } from '../ports/journal.js'
import type { ReplayableSource, SourceContext, SourceFailure, SourceOffset, SourceRead, SourceReader } from '../ports/replayableSource.js'
import type { StateCodec } from '../stateCodec.js'
import { unwrap } from '../task.js'
import { type Entry, endText, readEntry, valueText } from './entry.js'
import { readOffset, storedOffset } from './intakeOffset.js'

export interface IntakeOptions {
  /** Whether values are noted down; else they are only held until they are read. */
  readonly journal: boolean
  /** Values that have arrived and are not durable, or without a journal not read, yet. */
  readonly receivedMax: number
  /** Bytes that the journal keeps. */
  readonly journalBytesMax: number
  /** A value of an input that had ended is one that repeats itself, and no mistake. */
  readonly repeats: boolean
}

export interface IntakeHost {
  fail(error: unknown): void
  /** The journal has grown to half of what it may hold: a checkpoint would let it be trimmed. */
  wantsCheckpoint(): void
  /** Everything that came before `suspend` has been read. */
  suspended(): void
}

interface Received {
  readonly text: string
  readonly entry: Entry
}

/** Entries that wait in memory to be read; beyond, they are read back from the journal. */
const aheadMax = 16_384
/** Entries that are made durable together, at most. */
const groupMax = 8_192

export class Intake implements ReplayableSource<Entry> {
  readonly offsets = 'replayable'
  /** Values that arrived, whatever became of them. */
  received = 0
  opened = false
  private readonly codecs = new Map<string, StateCodec<unknown>>()
  private waiting: Received[] = []
  private journal: Journal | undefined
  /** Durable entries from number `aheadFirst` on that were not read yet. */
  private ahead: Entry[] = []
  private aheadFirst = 0
  private next = 0
  private readonly ended = new Set<string>()
  /** Groups on their way to the journal. */
  private appending = 0
  private trimming = false
  private suspending = false
  private told = false
  private closed = false
  private wake: (() => void) | undefined
  /** Counts what a reader that waits may want to know of. */
  private news = 0

  constructor(
    private readonly uid: string,
    private readonly options: IntakeOptions,
    private readonly host: IntakeHost,
  ) {}

  input(name: string, codec: StateCodec<unknown>): void {
    this.codecs.set(name, codec)
  }

  // ---- what comes in

  receive(input: string, value: unknown): void {
    if (this.closed) return
    this.received += 1
    if (this.ended.has(input)) {
      if (!this.options.repeats) this.host.fail(this.finished(input))
      return
    }
    const codec = this.codecs.get(input) as StateCodec<unknown>
    let text: string
    try {
      text = this.options.journal ? valueText(input, value, codec) : ''
    } catch (error) {
      return this.host.fail(error)
    }
    this.take({ text, entry: { kind: 'value', input, value } })
  }

  /** The input has no more. */
  end(input: string): void {
    if (!this.closed) this.take({ text: endText(input), entry: { kind: 'end', input } })
  }

  /** Nothing more comes in this run, though the inputs have not ended: the host is told when all that came has been read. */
  suspend(): void {
    this.suspending = true
    this.tell()
  }

  private take(received: Received): void {
    const { receivedMax } = this.options
    if (this.waiting.length + (this.options.journal ? 0 : this.ahead.length) >= receivedMax)
      return this.host.fail(new StreamError('INTAKE_FULL', { uid: this.uid, receivedMax }))
    this.waiting.push(received)
    if (this.opened) this.advance()
  }

  /** Makes durable what waits, a group at a time. */
  private advance(): void {
    if (this.journal === undefined) {
      for (const { entry } of this.waiting.splice(0)) this.ahead.push(entry)
      this.tell()
      return
    }
    if (this.appending > 0 || this.closed || this.waiting.length === 0) return
    const group = this.waiting.length <= groupMax ? this.waiting : this.waiting.slice(0, groupMax)
    this.waiting = group === this.waiting ? [] : this.waiting.slice(groupMax)
    void this.append(this.journal, group)
  }

  private async append(journal: Journal, group: readonly Received[]): Promise<void> {
    const { journalBytesMax } = this.options
    if (journal.bytes >= journalBytesMax)
      return this.host.fail(new StreamError('JOURNAL_FULL', { uid: this.uid, found: journal.bytes, journalBytesMax }))
    if (journal.bytes >= journalBytesMax / 2) this.host.wantsCheckpoint()
    this.appending += 1
    const first = journal.end
    const result = await journal.append(group.map(({ text }) => text))()
    this.appending -= 1
    if (E.isLeft(result)) return this.host.fail(result.left)
    this.keep(first, group)
    this.tell()
    this.advance()
  }

  /** Keeps in memory what follows what is there, as long as there is room: the reader need not read it back. */
  private keep(first: number, group: readonly Received[]): void {
    if (this.ahead.length === 0) {
      if (first !== this.next) return
      this.aheadFirst = first
    } else if (first !== this.aheadFirst + this.ahead.length) return
    if (this.ahead.length + group.length > aheadMax) return
    for (const { entry } of group) this.ahead.push(entry)
  }

  // ---- what goes on

  open({ from, journal }: SourceContext): taskEither.TaskEither<SourceFailure, SourceReader<Entry>> {
    return answered(() => this.begin(O.toUndefined(from), journal))
  }

  private async begin(from: SourceOffset | undefined, journal: SourceContext['journal']): Promise<SourceReader<Entry>> {
    const start = from === undefined ? { next: 0, ended: [] } : readOffset(from, this.uid)
    for (const input of start.ended) this.ended.add(input)
    const beyond = this.waiting.find(({ entry }) => entry.kind === 'value' && this.ended.has(entry.input))
    if (beyond !== undefined && !this.options.repeats) throw this.finished(beyond.entry.input)
    this.next = start.next
    if (this.options.journal && journal !== undefined) {
      this.journal = await unwrap(journal)
      const { first, end } = this.journal
      if (start.next < first) throw new RestoreError('SOURCE_OFFSET_GONE', { uid: this.uid, offset: start.next, first })
      if (start.next > end) throw new RestoreError('SOURCE_OFFSET_AHEAD', { uid: this.uid, offset: start.next, end })
    }
    this.aheadFirst = this.next
    this.opened = true
    this.advance()
    return {
      start: storedOffset(start),
      read: (recordsMax) => this.read(recordsMax),
      checkpointCompleted: (_offset, oldest) => this.trim(readOffset(oldest, this.uid).next),
      close: () => this.close(),
    }
  }

  private read(recordsMax: number): taskEither.TaskEither<SourceFailure, SourceRead<Entry>> {
    return answered(() => this.nextBatch(recordsMax))
  }

  private async nextBatch(recordsMax: number): Promise<SourceRead<Entry>> {
    for (;;) {
      if (this.closed) return { kind: 'end' }
      if (this.allEnded) {
        // What was noted down behind the end came from a subscription that did not know of it.
        if (this.opened && !this.options.repeats && !this.idle) throw this.finished([...this.codecs.keys()][0] as string)
        return { kind: 'end' }
      }
      const { news } = this
      const entries = await this.entries(recordsMax)
      if (entries.length > 0) return this.batchOf(entries)
      if (this.suspending && !this.told && this.idle) {
        this.told = true
        this.host.suspended()
      }
      // What came while we looked was not seen, perhaps.
      if (news !== this.news) continue
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
      this.wake = undefined
    }
  }

  private tell(): void {
    this.news += 1
    this.wake?.()
  }

  private get idle(): boolean {
    return this.appending === 0 && this.waiting.length === 0 && this.ahead.length === 0 && this.next >= (this.journal?.end ?? 0)
  }

  private get allEnded(): boolean {
    for (const input of this.codecs.keys()) if (!this.ended.has(input)) return false
    return true
  }

  private async entries(recordsMax: number): Promise<readonly Entry[]> {
    if (this.ahead.length > 0 && this.aheadFirst === this.next) {
      const entries = this.ahead.length <= recordsMax ? this.ahead : this.ahead.slice(0, recordsMax)
      this.ahead = entries === this.ahead ? [] : this.ahead.slice(recordsMax)
      this.aheadFirst += entries.length
      return entries
    }
    if (this.journal === undefined || this.next >= this.journal.end) return []
    // Up to where memory goes on, if it does.
    const most = this.ahead.length > 0 ? Math.min(recordsMax, this.aheadFirst - this.next) : recordsMax
    const texts = await unwrap(this.journal.read(this.next, most))
    return texts.map((text) => readEntry(text, this.codecs))
  }

  private batchOf(entries: readonly Entry[]): SourceRead<Entry> {
    const first = this.next
    this.next += entries.length
    const ended = [...this.ended]
    let endedAt: { readonly at: number; readonly input: string }[] = []
    entries.forEach((entry, index) => {
      if (entry.kind === 'end') {
        this.ended.add(entry.input)
        endedAt = [...endedAt, { at: index, input: entry.input }]
      } else if (this.ended.has(entry.input) && !this.options.repeats) throw this.finished(entry.input)
    })
    return {
      kind: 'batch',
      batch: {
        values: entries,
        offsetAfter: (index) =>
          storedOffset({ next: first + index + 1, ended: [...ended, ...endedAt.filter(({ at }) => at <= index).map(({ input }) => input)] }),
      },
    }
  }

  private finished(input: string): StreamError {
    return new StreamError('STREAM_FINISHED', { uid: this.uid, input })
  }

  private trim(before: number): void {
    if (this.journal === undefined || this.trimming || this.closed) return
    this.trimming = true
    // What cannot be removed now is removed after a later checkpoint.
    void this.journal
      .trim(before)()
      .then(() => {
        this.trimming = false
      })
  }

  /** What has arrived is noted down at once, and not held in memory: the next run goes on with it. */
  flush(): void {
    const { journal, waiting } = this
    if (journal === undefined || waiting.length === 0) return
    this.waiting = []
    this.appending += 1
    void journal
      .append(waiting.map(({ text }) => text))()
      .then((result) => {
        this.appending -= 1
        if (E.isLeft(result)) this.host.fail(result.left)
        this.tell()
      })
  }

  private close(): task.Task<void> {
    return async () => {
      this.closed = true
      this.tell()
    }
  }
}

/** Work whose errors with a code are its answer; anything else is a mistake, and is thrown. */
const answered =
  <A>(work: () => Promise<A>): taskEither.TaskEither<SourceFailure, A> =>
  async () => {
    try {
      return E.right(await work())
    } catch (error) {
      if (error instanceof RxweirError) return E.left(error as SourceFailure)
      throw error
    }
  }
