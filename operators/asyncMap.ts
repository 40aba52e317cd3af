import type { Cancel } from '../lib/clock.js'
import type { AnyKeyOperator } from '../lib/element.js'
import { ConfigurationError, StreamError } from '../lib/errors.js'
import { operatorUid } from '../lib/identity.js'
import type { InstanceShare } from '../lib/instanceShare.js'
import type { Json } from '../lib/json.js'
import { decodeKey, encodeKey, type Key } from '../lib/key.js'
import { atLeast } from '../lib/limits.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import { decodeTagged, encodeTagged } from '../lib/taggedJson.js'

export interface AsyncMapOptions<T, R> {
  /** `kept`: results in the order of their records. `free`: as they come, but never across a watermark. */
  readonly order: 'kept' | 'free'
  /** Calls at the same time. More records wait, and the sources pause. */
  readonly capacity: number
  /** From the first call of a record to its result, repetitions included; `Infinity` for ever. */
  readonly timeoutMs: number
  /** How often a failed call is repeated, and after how long. */
  readonly retry?: { readonly count: number; readonly delayMs?: number }
  /** What stands in for a result that failed or came too late. Without it the error ends the run. */
  readonly otherwise?: (value: T, error: unknown) => R
}

/**
 * Maps each record by an asynchronous call.
 *
 * Flink's asynchronous I/O. Which calls are under way is part of the checkpoint; after a crash they are made again, so state and
 * results count once while the outside may be called more than once.
 *
 * **When to use** to look something up outside. Keep what must not be repeated in a sink.
 * **State** the records under way and waiting, in order, owned by `uid`: plain data.
 * **Barrier** passes the calls under way; watermarks and the end of input do not.
 *
 * @param project - is given a signal that is aborted when its call is no longer wanted
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @throws StreamError `CALL_TIMED_OUT`, unless `otherwise` is given
 * @example In order, whatever comes first
 * ```ts
 * const slow = asyncMap('slow', { order: 'kept', capacity: 2, timeoutMs: 1_000 }, async (n: number) => n * 2)
 * await collect(of(1, 2, 3).pipe(records(), slow)) // => [2, 4, 6]
 * ```
 * @category elements
 * @since 0.2.0
 */
export function asyncMap<T, R>(
  uid: string,
  options: AsyncMapOptions<T, R>,
  project: (value: T, signal: AbortSignal) => Promise<R>,
): AnyKeyOperator<T, R> {
  atLeast('capacity', options.capacity, 1)
  atLeast('timeoutMs', options.timeoutMs, 1)
  if (options.order !== 'kept' && options.order !== 'free')
    throw new ConfigurationError('OPTION_INVALID', { uid, option: 'order', found: options.order, expected: ['kept', 'free'] })
  return operate<T, R>({ name: 'asyncMap', uid: operatorUid(uid), time: 'held', create: (context) => new AsyncMachine(context, options, project) })
}

interface Call<T, R> {
  readonly kind: 'call'
  readonly value: T
  readonly timestamp: number | undefined
  readonly key: unknown
  started: boolean
  attempts: number
  abort: AbortController | undefined
  readonly timers: Set<Cancel>
  result: { readonly value: R } | undefined
}

type Queued<T, R> = Call<T, R> | { readonly kind: 'watermark'; readonly timestampMs: number } | { readonly kind: 'end' }

class AsyncMachine<T, R> implements Machine<T> {
  private readonly queue: Queued<T, R>[] = []
  private underWay = 0
  private resume: (() => void) | undefined
  private closed = false

  constructor(
    private readonly context: MachineContext<R>,
    private readonly options: AsyncMapOptions<T, R>,
    private readonly project: (value: T, signal: AbortSignal) => Promise<R>,
  ) {}

  open(): void {
    if (this.queue.length > 0) {
      this.startCalls()
      // Watermarks that waited in the queue are not stored: what the input had reached follows the restored calls.
      const reached = this.context.watermark()
      if (reached !== Number.NEGATIVE_INFINITY) this.queue.push({ kind: 'watermark', timestampMs: reached })
    }
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    this.enqueue(value, timestamp, key)
    this.startCalls()
  }

  processWatermark(timestampMs: number): void {
    this.queue.push({ kind: 'watermark', timestampMs })
    this.emitReady()
  }

  endOfInput(): void {
    this.queue.push({ kind: 'end' })
    this.emitReady()
  }

  snapshotState(): Json {
    const calls = this.queue.filter((queued): queued is Call<T, R> => queued.kind === 'call')
    return calls.map(({ value, timestamp, key }) => [encodeTagged(value), timestamp ?? null, key === undefined ? null : encodeKey(key as Key)])
  }

  /** Before the keys an answer has to have come to all instances, or to none. */
  joinStates(states: readonly Json[], share: InstanceShare): Json | undefined {
    if (!this.context.isSplit) return undefined
    const calls = (states as readonly (readonly [string, number | null, string | null])[][]).flat()
    return calls.filter(([, , key]) => key === null || share.owns(decodeKey(key)))
  }

  restoreState(stored: Json): void {
    for (const [value, timestamp, key] of stored as [string, number | null, string | null][])
      this.enqueue(decodeTagged(value) as T, timestamp ?? undefined, key === null ? undefined : decodeKey(key))
  }

  close(): void {
    this.closed = true
    this.resume?.()
    for (const queued of this.queue) if (queued.kind === 'call') this.release(queued)
  }

  private enqueue(value: T, timestamp: number | undefined, key: unknown): void {
    this.queue.push({ kind: 'call', value, timestamp, key, started: false, attempts: 0, abort: undefined, timers: new Set(), result: undefined })
  }

  /** Starts what waits, as far as there is capacity; pauses the sources while something waits. */
  private startCalls(): void {
    let waiting = 0
    for (const queued of this.queue) {
      if (queued.kind !== 'call' || queued.started) continue
      if (this.underWay >= this.options.capacity) {
        waiting += 1
        continue
      }
      this.begin(queued)
    }
    if (waiting > 0) this.resume ??= this.context.pause()
    else {
      this.resume?.()
      this.resume = undefined
    }
  }

  private begin(call: Call<T, R>): void {
    const { clock } = this.context
    call.started = true
    this.underWay += 1
    if (this.options.timeoutMs !== Number.POSITIVE_INFINITY)
      this.after(call, clock.nowMs() + this.options.timeoutMs, () =>
        this.failed(call, new StreamError('CALL_TIMED_OUT', { uid: this.context.uid, timeoutMs: this.options.timeoutMs })),
      )
    this.attempt(call)
  }

  private attempt(call: Call<T, R>): void {
    const abort = new AbortController()
    call.abort = abort
    call.attempts += 1
    const current = (work: () => void) =>
      this.context.post(() => {
        if (!this.closed && call.abort === abort && call.result === undefined) work()
      })
    const calling = new Promise<R>((resolve) => resolve(this.project(call.value, abort.signal)))
    calling.then(
      (value) => current(() => this.done(call, value)),
      (error: unknown) => current(() => this.again(call, error)),
    )
  }

  private again(call: Call<T, R>, error: unknown): void {
    const { count = 0, delayMs = 0 } = this.options.retry ?? {}
    if (call.attempts > count) this.failed(call, error)
    else if (delayMs === 0) this.attempt(call)
    else this.after(call, this.context.clock.nowMs() + delayMs, () => this.attempt(call))
  }

  private failed(call: Call<T, R>, error: unknown): void {
    if (call.result !== undefined) return
    if (this.options.otherwise === undefined) this.context.fail(error)
    else this.done(call, this.options.otherwise(call.value, error))
  }

  private done(call: Call<T, R>, value: R): void {
    call.result = { value }
    this.release(call)
    this.underWay -= 1
    this.emitReady()
    this.startCalls()
  }

  private release(call: Call<T, R>): void {
    for (const cancel of call.timers) cancel()
    call.timers.clear()
    if (call.result === undefined) call.abort?.abort()
  }

  private after(call: Call<T, R>, atMs: number, work: () => void): void {
    const cancel = this.context.callAt(atMs, () => {
      call.timers.delete(cancel)
      if (!this.closed) work()
    })
    call.timers.add(cancel)
  }

  /** Lets go on what stands at the head of the queue, or, where the order is free, before the next watermark. */
  private emitReady(): void {
    for (let at = 0; at < this.queue.length; ) {
      const queued = this.queue[at] as Queued<T, R>
      if (queued.kind !== 'call') {
        if (at > 0) return
        this.queue.shift()
        if (queued.kind === 'watermark') this.context.emitWatermark(queued.timestampMs)
        else this.context.emitEnd()
      } else if (queued.result !== undefined) {
        this.queue.splice(at, 1)
        this.context.output.processRecord(queued.result.value, queued.timestamp, queued.key)
      } else if (this.options.order === 'kept') return
      else at += 1
    }
  }
}
