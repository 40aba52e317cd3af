import fc from 'fast-check'
import type { Observable } from 'rxjs'
import type { AnyStream, StreamElement } from '../lib/element.js'
import { hasCode } from '../lib/errors.js'
import { type Law, law } from './law.js'
import { OperatorRun } from './operatorRun.js'
import { same } from './same.js'

export interface JunctionUnderLaw {
  /** Applies an operator that lets the records of all its inputs through, as they are. */
  apply(inputs: readonly Observable<StreamElement<string, never>>[]): AnyStream<string>
  readonly inputs: number
  /** Its inputs have keys. */
  readonly keyed?: boolean
}

/** What arrives at one of the inputs next: a record, or the next barrier. */
interface Arrival {
  readonly input: number
  readonly barrier: boolean
}

/**
 * What every operator with several inputs promises about barriers.
 *
 * @category laws
 * @since 0.1.0
 */
export function junctionLaws({ apply, inputs, keyed = false }: JunctionUnderLaw): readonly Law[] {
  const arrivals = fc.array(fc.record({ input: fc.nat({ max: inputs - 1 }), barrier: fc.boolean() }), { maxLength: 60 })
  const made = (heldElementsMax?: number): Feed =>
    new Feed(
      new OperatorRun({
        apply: (streams) => apply(streams as never),
        inputs,
        keyed,
        ...(heldElementsMax === undefined ? {} : { limits: { heldElementsMax } }),
      }),
      inputs,
      keyed,
    )
  return [
    law('consistent-cut', 'before a barrier leaves exactly the records before it on every input, each input in its order', () =>
      fc.asyncProperty(arrivals, async (steps) => {
        const feed = made()
        for (const step of steps) feed.take(step)
        feed.align()
        same(feed.violations(), [], 'records on the wrong side of a barrier')
      }),
    ),
    law('bounded-alignment', 'what is held back stays under the limit or the checkpoint aborts, and nothing is dropped', () =>
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 4 }), async (steps, heldElementsMax) => {
        const feed = made(heldElementsMax)
        for (const step of steps) feed.take(step)
        feed.align()
        same(feed.missing(), [], 'records that did not leave')
        const { aborted } = feed.run
        if (aborted.some(({ cause }) => !hasCode(cause, 'ALIGNMENT_BUFFER_FULL'))) throw new Error('a checkpoint was aborted for another reason')
        if (feed.heldMost > heldElementsMax && aborted.length === 0)
          throw new Error(`${feed.heldMost} elements were held back, and nothing was aborted`)
      }),
    ),
  ]
}

/** Feeds the inputs, and knows what has to come out. */
class Feed {
  heldMost = 0
  private readonly sent: string[][]
  /** How many records of each input stood before each barrier. */
  private readonly cuts: number[][]

  constructor(
    readonly run: OperatorRun,
    private readonly inputs: number,
    private readonly keyed: boolean,
  ) {
    this.sent = Array.from({ length: inputs }, () => [])
    this.cuts = Array.from({ length: inputs }, () => [])
  }

  take({ input, barrier }: Arrival): void {
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
    for (let input = 0; input < this.inputs; input += 1) if ((this.cuts[input] as number[]).length < last) this.take({ input, barrier: true })
  }

  /** Records that left before a barrier and came behind it, or the other way round. */
  violations(): string[] {
    const found: string[] = []
    const left = Array.from({ length: this.inputs }, () => 0)
    for (const { kind, text } of this.run.left) {
      if (kind === 'record') {
        const [input = 0, number = 0] = (JSON.parse(text.slice('record '.length)) as [string])[0].split('.').map(Number)
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
