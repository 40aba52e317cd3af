/**
 * Reads lines of JSON out of one answer of a server after the other.
 *
 * **Invariants** What was taken moves the place; a new request begins there, so that a connection may break anywhere. A line that
 * ends the run waits until those before it are on their way. A line is taken when its newline has come; what stands behind the
 * last newline is a line where the data is finished. Not more is read than asked for, and what the platform holds of one answer.
 *
 * **Fault model** Connections break, or fall silent; servers refuse, for now or for good; the data may be another one at the next request.
 */
import { either as E, taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { ByteLine, ByteLines } from '../../lib/byteLines.js'
import { callWithin, GivenUp } from '../../lib/callWithin.js'
import type { Clock } from '../../lib/clock.js'
import { InvariantViolation, RestoreError, SourceError } from '../../lib/errors.js'
import type { DeadLetter, SourceOffset, SourceRead, SourceReader } from '../../lib/ports/replayableSource.js'
import { wait } from '../../lib/wait.js'
import { dropBody, isPassing, passing, shownUrl } from './answers.js'
import { Backoff } from './backoff.js'
import { type Fetching, headersOf } from './fetching.js'
import type { Place } from './place.js'

export interface Tailing<T> {
  readonly uid: string
  readonly clock: Clock
  readonly fetching: Fetching
  readonly decode: (raw: unknown) => E.Either<string, T>
  readonly follow: boolean
  readonly pollMs: number
  readonly idleMs: number
  /** Whether lines that cannot be decoded go to a side output. */
  readonly lettersWanted: boolean
}

/** An answer that is being read. */
interface Answer {
  readonly body: ReadableStreamDefaultReader<Uint8Array> | undefined
  lines: ByteLines
  /** Whether anything was taken of it. */
  brought: boolean
}

/** Lines on their way into a batch. */
interface Taking<T> {
  readonly lines: ByteLine[]
  readonly values: T[]
  readonly malformed: Map<number, DeadLetter>
}

const blank = Symbol('a blank line')
const noJson = Symbol('a line that is no JSON')

/** The characters of a bad line that its dead letter shows. */
const excerptMax = 1024

export class TailReader<T> implements SourceReader<T> {
  readonly start: SourceOffset
  readonly #tailing: Tailing<T>
  readonly #place: Place<T>
  readonly #closing = new AbortController()
  readonly #backoff: Backoff
  #answer: Answer | undefined
  /** A line that was found and not taken. */
  #held: ByteLine | undefined
  #finished = false
  #working: Promise<unknown> = Promise.resolve()

  constructor(tailing: Tailing<T>, place: Place<T>) {
    this.#tailing = tailing
    this.#place = place
    this.start = place.offset()
    const { uid, clock, fetching } = tailing
    this.#backoff = new Backoff({
      ...fetching,
      clock,
      signal: this.#closing.signal,
      giveUp: (details, cause) => new SourceError('SOURCE_IO', { uid, url: this.#url(), ...details }, { cause }),
    })
  }

  read(recordsMax: number): taskEither.TaskEither<SourceError | RestoreError, SourceRead<T>> {
    return this.#task(() => this.#read(recordsMax))
  }

  /** Makes the first request, and finds the place in its answer. */
  connect(): taskEither.TaskEither<SourceError | RestoreError, void> {
    return this.#task(() => this.#connect())
  }

  close(): task.Task<void> {
    return async () => {
      this.#closing.abort()
      await this.#drop()
      await this.#working
    }
  }

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SourceError | RestoreError, A> {
    return TE.tryCatch(
      () => {
        const working = work()
        this.#working = working.catch(() => undefined)
        return working
      },
      (cause) => {
        if (cause instanceof SourceError || cause instanceof RestoreError) return cause
        throw cause
      },
    )
  }

  async #read(recordsMax: number): Promise<SourceRead<T>> {
    for (;;) {
      const offsetAt = this.#place.offsetsFrom()
      const taking = this.#take(recordsMax)
      const { values, malformed, lines } = taking
      if (values.length > 0) {
        const taken = { lines, values, malformed: new Set(malformed.keys()) }
        const offsetAfter = (index: number): SourceOffset => {
          if (!(index >= 0 && index < values.length)) throw new RangeError(`a batch of ${values.length} records has no index ${index}`)
          return offsetAt(taken, index)
        }
        return { kind: 'batch', batch: malformed.size === 0 ? { values, offsetAfter } : { values, malformed, offsetAfter } }
      }
      this.#stillOpen()
      if (this.#answer !== undefined) await this.#more(this.#answer)
      else if (this.#finished) return { kind: 'end' }
      else await this.#connect()
    }
  }

  #stillOpen(): void {
    if (this.#closing.signal.aborted) throw new SourceError('SOURCE_IO', { uid: this.#tailing.uid, reason: 'the reader was closed' })
  }

  #url(): string {
    return shownUrl(this.#place.request().url)
  }

  // ---- lines

  #take(recordsMax: number): Taking<T> {
    const taking: Taking<T> = { lines: [], values: [], malformed: new Map() }
    while (taking.values.length < recordsMax) {
      const line = this.#held ?? this.#answer?.lines.next()
      if (line === undefined) break
      this.#held = line
      if (!this.#takeLine(line, taking)) break
      this.#held = undefined
    }
    if (taking.values.length > 0) {
      this.#backoff.succeeded()
      if (this.#answer !== undefined) this.#answer.brought = true
    }
    return taking
  }

  /** Answers false when the line has to wait for the next read. */
  #takeLine(line: ByteLine, taking: Taking<T>): boolean {
    if (line.problem !== undefined) return this.#refused(line.problem.code, line.problem.reason, line, taking)
    const raw = parsed(line.text)
    if (raw === blank) return true
    if (raw === noJson) return this.#refused('RECORD_MALFORMED', 'no JSON', line, taking)
    const decoded = this.#tailing.decode(raw)
    if (E.isLeft(decoded)) return this.#refused('RECORD_MALFORMED', decoded.left, line, taking)
    this.#place.take(line, decoded.right)
    taking.lines.push(line)
    taking.values.push(decoded.right)
    return true
  }

  /** Without a side output for it, a bad line ends the run, after the lines before it. */
  #refused(code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG', reason: string, line: ByteLine, taking: Taking<T>): boolean {
    if (this.#place.passesOver()) return true
    const { uid, lettersWanted } = this.#tailing
    const offset = this.#place.offset()
    if (!lettersWanted) {
      if (taking.values.length > 0) return false
      throw new SourceError(code, { uid, url: this.#url(), offset: JSON.stringify(offset), reason })
    }
    taking.malformed.set(taking.values.length, { offset, text: line.text.slice(0, excerptMax), reason })
    this.#place.takeMalformed(line)
    taking.lines.push(line)
    // A place holder: the index counts, the entry means nothing.
    taking.values.push(undefined as T)
    return true
  }

  // ---- answers

  async #connect(): Promise<void> {
    const { clock, fetching, follow, pollMs } = this.#tailing
    const { timeoutMs, headers, fetch } = fetching
    const { signal } = this.#closing
    for (;;) {
      this.#stillOpen()
      const request = this.#place.request()
      let response: Response
      try {
        response = await callWithin({ clock, timeoutMs, signal }, async (own) =>
          fetch(request.url, { headers: await headersOf(headers, request.headers), signal: own }),
        )
      } catch (cause) {
        this.#stillOpen()
        await this.#backoff.failed({ reason: 'no answer', cause })
        continue
      }
      if (response.status === 200 || response.status === 206) {
        if (await this.#begin(response)) return
        continue
      }
      await dropBody(response)
      if (response.status === 204 || response.status === 304) {
        if (!follow) {
          this.#finished = true
          return
        }
        this.#backoff.succeeded()
        await wait(clock, pollMs, signal)
      } else if (isPassing(response.status)) await this.#backoff.failed(passing(response, clock))
      else
        throw this.#place.gone(response) ?? new SourceError('SOURCE_REFUSED', { uid: this.#tailing.uid, url: this.#url(), status: response.status })
    }
  }

  /** Answers false where the connection broke before the place was found. */
  async #begin(response: Response): Promise<boolean> {
    const body = response.body?.getReader()
    let broken: unknown
    const chunks = async (): Promise<Uint8Array | undefined> => {
      try {
        return await this.#chunk(body)
      } catch (cause) {
        broken = cause
        throw cause
      }
    }
    try {
      this.#answer = { body, lines: await this.#place.found(response, chunks), brought: false }
      return true
    } catch (cause) {
      await body?.cancel().catch(() => undefined)
      this.#stillOpen()
      if (broken === undefined || broken !== cause) throw cause
      await this.#backoff.failed({ reason: 'the connection broke', cause })
      return false
    }
  }

  async #chunk(body: Answer['body']): Promise<Uint8Array | undefined> {
    if (body === undefined) return undefined
    const { clock, idleMs } = this.#tailing
    const { done, value } = await callWithin({ clock, timeoutMs: idleMs, signal: this.#closing.signal }, () => body.read())
    return done ? undefined : value
  }

  /** Reads on in an answer, or ends it. */
  async #more(answer: Answer): Promise<void> {
    const { clock, follow, pollMs } = this.#tailing
    try {
      const chunk = await this.#chunk(answer.body)
      if (chunk !== undefined) return answer.lines.push(chunk)
    } catch (cause) {
      this.#stillOpen()
      await this.#drop()
      // A server that has nothing to say may be silent.
      if (!(follow && cause instanceof GivenUp)) await this.#backoff.failed({ reason: 'the connection broke', cause })
      return
    }
    this.#answer = undefined
    if (!follow) {
      this.#held = answer.lines.rest()
      this.#finished = true
      return
    }
    this.#backoff.succeeded()
    if (!answer.brought) await wait(clock, pollMs, this.#closing.signal)
  }

  async #drop(): Promise<void> {
    const answer = this.#answer
    this.#answer = undefined
    // The connection is closed then; that it may have failed before changes nothing.
    await answer?.body?.cancel().catch((error: unknown) => {
      if (error instanceof InvariantViolation) throw error
    })
  }
}

function parsed(text: string): unknown {
  if (text === '') return blank
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the line, which may be private: the reason is told without it.
    return text.trim() === '' ? blank : noJson
  }
}
