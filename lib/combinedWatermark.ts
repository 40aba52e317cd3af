/**
 * Combines the event time of the inputs of an operator that treats them differently: a connection, a join.
 *
 * The rules are those of Flink's `CombinedWatermarkStatus`, which are not those of joined streams (`watermarkValve.ts`): the
 * smallest watermark of the inputs that are not idle counts; an input that comes back with an older watermark holds the others
 * back until it has caught up; nothing is let out when all go idle; and a watermark on an idle input makes it active.
 */
import type { Json } from './json.js'
import { storedTime, timeStored } from './storedTime.js'

interface Input {
  watermark: number
  /** The last one that was not the end of time. */
  finite: number
  idle: boolean
}

export class CombinedWatermark {
  watermark = Number.NEGATIVE_INFINITY
  private finite = Number.NEGATIVE_INFINITY
  idle = false
  private readonly inputs: Input[]

  constructor(
    inputs: number,
    private readonly out: { watermark(timestampMs: number): void; status(idle: boolean): void },
  ) {
    this.inputs = Array.from({ length: inputs }, () => ({ watermark: Number.NEGATIVE_INFINITY, finite: Number.NEGATIVE_INFINITY, idle: false }))
  }

  inputWatermark(index: number, timestampMs: number): void {
    const input = this.inputs[index] as Input
    if (timestampMs <= input.watermark && !input.idle) return
    input.idle = false
    input.watermark = Math.max(input.watermark, timestampMs)
    if (input.watermark !== Number.POSITIVE_INFINITY) input.finite = input.watermark
    this.combine()
  }

  inputStatus(index: number, idle: boolean): void {
    const input = this.inputs[index] as Input
    if (input.idle === idle) return
    input.idle = idle
    this.combine()
  }

  inputTime(index: number): { readonly watermark: number; readonly idle: boolean } {
    const { watermark, idle } = this.inputs[index] as Input
    return { watermark, idle }
  }

  snapshot(): Json {
    return { watermark: storedTime(this.finite), idle: this.idle, inputs: this.inputs.map(({ finite, idle }) => [storedTime(finite), idle]) }
  }

  restore(stored: Json): void {
    const { watermark, idle, inputs } = stored as { watermark: Json; idle: boolean; inputs: [Json, boolean][] }
    this.watermark = this.finite = timeStored(watermark)
    if (inputs.length !== this.inputs.length) return
    this.idle = idle
    inputs.forEach(([time, inputIdle], index) => {
      this.inputs[index] = { watermark: timeStored(time), finite: timeStored(time), idle: inputIdle }
    })
  }

  private combine(): void {
    const active = this.inputs.filter(({ idle }) => !idle)
    const minimum = active.reduce((least, { watermark }) => Math.min(least, watermark), Number.POSITIVE_INFINITY)
    if (active.length > 0 && minimum > this.watermark) {
      this.watermark = minimum
      if (minimum !== Number.POSITIVE_INFINITY) this.finite = minimum
      this.out.watermark(minimum)
    }
    const idle = active.length === 0
    if (idle === this.idle) return
    this.idle = idle
    this.out.status(idle)
  }
}
