import fc from 'fast-check'
import type { Observable } from 'rxjs'
import type { BarrierOptions } from '../lib/barrierRules.js'
import type { AnyStream, StreamElement } from '../lib/element.js'
import { hasCode } from '../lib/errors.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { type Law, law } from './law.js'
import { OperatorRun, type OperatorRunOptions } from './operatorRun.js'
import { same } from './same.js'

export interface JunctionUnderLaw {
  /** Applies an operator that lets the records of all its inputs through, as they are. */
  apply(inputs: readonly Observable<StreamElement<string, never>>[]): AnyStream<string>
  readonly inputs: number
  /** Its inputs have keys. */
  readonly keyed?: boolean
}

/** What arrives at one of the inputs next, a record or the next barrier, and how much time has passed before. */
interface Arrival {
  readonly input: number
  readonly barrier: boolean
  readonly afterMs: number
}

/** What is done about barriers that do not arrive together. */
const overtaking: fc.Arbitrary<BarrierOptions> = fc.constantFrom(
  { unaligned: true },
  { unaligned: true },
  { unaligned: true, alignmentTimeoutMs: 10 },
  { unaligned: true, alignmentTimeoutMs: 40 },
)

/**
 * What every operator with several inputs promises about barriers.
 *
 * @category laws
 * @since 0.1.0
 */
export function junctionLaws({ apply, inputs, keyed = false }: JunctionUnderLaw): readonly Law[] {
  const arrivals = shortOrLong(fc.record({ input: fc.nat({ max: inputs - 1 }), barrier: fc.boolean(), afterMs: fc.constantFrom(0, 0, 5, 20) }), {
    maxLength: 60,
  })
  const begun = (options: Pick<OperatorRunOptions, 'limits' | 'barriers' | 'clock' | 'from'>): OperatorRun =>
    new OperatorRun({ apply: (streams) => apply(streams as never), inputs, keyed, ...options })
  const made = (options: Parameters<typeof begun>[0] = {}): Feed => {
    const time = { nowMs: 0 }
    return new Feed(
      begun({ ...options, clock: { nowMs: () => time.nowMs, callAt: () => () => {}, yield: () => Promise.resolve() } }),
      time,
      inputs,
      keyed,
    )
  }
  return [
    law('consistent-cut', 'before a barrier leaves exactly the records before it on every input, each input in its order', () =>
      fc.asyncProperty(arrivals, async (steps) => {
        const feed = made()
        for (const step of steps) feed.take(step)
        feed.align()
        same(feed.violations(), [], 'records on the wrong side of a barrier')
      }),
    ),
    law(
      'overtaken-cut',
      'where barriers overtake, a snapshot and what is in flight are the records before the barrier, each input in its order',
      () =>
        fc.asyncProperty(arrivals, overtaking, async (steps, barriers) => {
          const feed = made({ barriers })
          for (const step of steps) feed.take(step)
          feed.align()
          const restored = (id: number): OperatorRun => begun({ barriers, from: feed.run.kept(id) })
          same(feed.overtakenViolations(restored), [], 'records on the wrong side of a barrier')
          same(feed.missing(), [], 'records that did not leave')
        }),
    ),
    law('at-least-once', 'where barriers are counted, nothing is held back and no record before a barrier is behind it', () =>
      fc.asyncProperty(arrivals, async (steps) => {
        const feed = made({ barriers: { mode: 'at-least-once' } })
        for (const step of steps) feed.take(step)
        same(feed.heldMost, 0, 'records held back')
        feed.align()
        same(feed.lost(), [], 'records that a restore would miss')
      }),
    ),
    law('bounded-alignment', 'what is held back or in flight stays under the limit or the checkpoint aborts, and nothing is dropped', () =>
      fc.asyncProperty(
        arrivals,
        fc.oneof(fc.constant<BarrierOptions>({}), overtaking),
        fc.integer({ min: 1, max: 4 }),
        async (steps, barriers, heldElementsMax) => {
          const feed = made({ barriers, limits: { heldElementsMax } })
          for (const step of steps) feed.take(step)
          feed.align()
          same(feed.missing(), [], 'records that did not leave')
          const { aborted } = feed.run
          if (aborted.some(({ cause }) => !hasCode(cause, 'ALIGNMENT_BUFFER_FULL'))) throw new Error('a checkpoint was aborted for another reason')
          if (feed.heldMost > heldElementsMax && aborted.length === 0)
            throw new Error(`${feed.heldMost} elements were held back, and nothing was aborted`)
        },
      ),
    ),
  ]
}

/** The input of a record that left, and its number there. */
function numbersOf(text: string): [input: number, number: number] {
  const [input = 0, number = 0] = (JSON.parse(text.slice('record '.length)) as [string])[0].split('.').map(Number)
  return [input, number]
}

/** Feeds the inputs, and knows what has to come out. */
class Feed {
  heldMost = 0
  private readonly sent: string[][]
  /** How many records of each input stood before each barrier. */
  private readonly cuts: number[][]

  constructor(
    readonly run: OperatorRun,
    private readonly time: { nowMs: number },
    private readonly inputs: number,
    private readonly keyed: boolean,
  ) {
    this.sent = Array.from({ length: inputs }, () => [])
    this.cuts = Array.from({ length: inputs }, () => [])
  }

  take({ input, barrier, afterMs }: Arrival): void {
    this.time.nowMs += afterMs
    const [sent, cuts] = [this.sent[input] as string[], this.cuts[input] as number[]]
    // An input is at most one barrier ahead: the next checkpoint begins when the one before has ended.
    if (barrier && cuts.length <= Math.min(...this.cuts.map(({ length }) => length))) {
      cuts.push(sent.length)
      this.run.barrier(cuts.length, input)
    } else {
      const value = `${input}.${sent.length}`
      sent.push(value)
      this.run.record(value, undefined, this.keyed ? 'all' : undefined, input)
    }
    const before = this.run.left.filter(({ kind }) => kind === 'record').length
    this.heldMost = Math.max(this.heldMost, this.sent.reduce((sum, { length }) => sum + length, 0) - before)
  }

  /** Delivers every barrier that is still to come. */
  align(): void {
    const last = Math.max(...this.cuts.map(({ length }) => length))
    for (let input = 0; input < this.inputs; input += 1)
      if ((this.cuts[input] as number[]).length < last) this.take({ input, barrier: true, afterMs: 0 })
  }

  /** Of each barrier that left, how many records of each input had left before it. */
  private leftBefore(): { readonly id: number; readonly counts: readonly number[] }[] {
    const counts = Array.from({ length: this.inputs }, () => 0)
    return this.run.left.flatMap(({ kind, text }) => {
      if (kind === 'record') counts[numbersOf(text)[0]] = numbersOf(text)[1] + 1
      return kind === 'barrier' ? [{ id: Number(text.slice('barrier '.length)), counts: [...counts] }] : []
    })
  }

  /** Records that neither left before a barrier nor are processed when its checkpoint is restored, or that are both. */
  overtakenViolations(restored: (id: number) => OperatorRun): string[] {
    const found: string[] = []
    for (const { id, counts } of this.leftBefore()) {
      const seen = [...counts]
      for (const { text } of restored(id).left.filter(({ kind }) => kind === 'record')) {
        const [input, number] = numbersOf(text)
        if (seen[input] !== number) found.push(`${input}.${number} of barrier ${id} was in flight out of order`)
        seen[input] = number + 1
      }
      for (const [input, count] of seen.entries())
        if (count !== this.cuts[input]?.[id - 1])
          found.push(`${count} records of input ${input} are in checkpoint ${id}, and ${this.cuts[input]?.[id - 1]} came before its barrier`)
    }
    return found
  }

  /** Records before a barrier that left behind it. */
  lost(): string[] {
    return this.leftBefore().flatMap(({ id, counts }) =>
      counts.flatMap((count, input) =>
        count < (this.cuts[input]?.[id - 1] ?? 0) ? [`${count} records of input ${input} left before barrier ${id}`] : [],
      ),
    )
  }

  /** Records that left before a barrier and came behind it, or the other way round. */
  violations(): string[] {
    const found: string[] = []
    const left = Array.from({ length: this.inputs }, () => 0)
    for (const { kind, text } of this.run.left) {
      if (kind === 'record') {
        const [input, number] = numbersOf(text)
        if (left[input] !== number) found.push(`${input}.${number} left out of order`)
        left[input] = number + 1
      } else if (kind === 'barrier') {
        const id = Number(text.slice('barrier '.length))
        for (const [input, count] of left.entries())
          if (count !== this.cuts[input]?.[id - 1])
            found.push(`${count} records of input ${input} left before barrier ${id}, and ${this.cuts[input]?.[id - 1]} came before it`)
      }
    }
    return found
  }

  missing(): string[] {
    const left = new Set(this.run.left.map(({ text }) => text))
    return this.sent.flat().filter((value) => ![...left].some((text) => text.startsWith(`record ["${value}"`)))
  }
}
