import type { Writable } from 'node:stream'
import { callWithin } from '../../lib/callWithin.js'
import type { Clock } from '../../lib/clock.js'
import type { Delivery, DeliveryTarget } from '../../lib/delivery.js'
import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'

export interface WritableTargetOptions<D> {
  readonly open: () => Writable | PromiseLike<Writable>
  readonly timeoutMs: number
  readonly atClose: 'end' | 'leave'
  readonly clock: Clock
  readonly chunkOf: (delivery: Delivery<D>) => unknown
}

/** A stream in the hands of one run. One that has failed is given up for a new one. */
export class WritableTarget<D> implements DeliveryTarget<D> {
  #writable: Writable | undefined

  constructor(private readonly options: WritableTargetOptions<D>) {}

  async deliver(deliveries: readonly Delivery<D>[], confirmed: (count: number) => void, signal: AbortSignal): Promise<void> {
    const { clock, timeoutMs } = this.options
    const writable = await this.#opened(signal)
    try {
      for (let from = 0; from < deliveries.length; )
        from = await callWithin({ clock, timeoutMs, signal }, () => this.#written(writable, deliveries, from, confirmed))
    } catch (error) {
      this.#writable = undefined
      writable.destroy()
      throw error
    }
  }

  async close(): Promise<void> {
    const writable = this.#writable
    this.#writable = undefined
    if (writable === undefined || isOver(writable) || this.options.atClose === 'leave') return
    const { clock, timeoutMs } = this.options
    const ended = (): Promise<void> => new Promise((resolve) => writable.once('close', resolve).end(resolve))
    await callWithin({ clock, timeoutMs, signal: new AbortController().signal }, ended).catch(() => writable.destroy())
  }

  /** Writes as much as there is room for, and waits until the stream has called back for all of it. */
  #written(writable: Writable, deliveries: readonly Delivery<D>[], from: number, confirmed: (count: number) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      let to = from
      for (let room = true; room && to < deliveries.length; ) {
        const chunk = this.options.chunkOf(deliveries[to] as Delivery<D>)
        const count = (to += 1)
        room = writable.write(chunk, (error) => {
          if (error !== null && error !== undefined) return reject(error)
          confirmed(count)
          if (count === to) resolve(to)
        })
      }
    })
  }

  async #opened(signal: AbortSignal): Promise<Writable> {
    if (this.#writable !== undefined && !isOver(this.#writable)) return this.#writable
    const { clock, timeoutMs, open } = this.options
    const writable = await callWithin({ clock, timeoutMs, signal }, async (own) => {
      const opened = await open()
      if (typeof (opened as Partial<Writable> | null | undefined)?.write !== 'function')
        throw new ConfigurationError('OPTION_INVALID', {
          option: 'open',
          found: kindOf(opened),
          expected: 'a function that returns a Writable',
          permanent: true,
        })
      // Who writes learns of it by the call that failed; between two writes, by the stream being over.
      opened.on('error', () => undefined)
      if (own.aborted) opened.destroy()
      return opened
    })
    this.#writable = writable
    return writable
  }
}

const isOver = ({ destroyed, writableEnded, errored }: Writable): boolean => destroyed || writableEnded || errored !== null
