import type { JobEvent } from './events.js'
import type { WatermarkExplanation } from './eventTime.js'

/** An input that others wait for and that says nothing for so long is told of. */
const silenceMs = 60_000

/** Notices an input that holds event time back and says nothing: windows and timers behind it wait, and nobody would know why. */
export class SilenceWatch {
  private silent: { readonly path: string; readonly watermark: number; readonly sinceMs: number; told: boolean } | undefined

  /** Looked at once a checkpoint. Answers what is to be told, once for each silence. */
  look({ heldBackBy, operators }: WatermarkExplanation, nowMs: number): JobEvent | undefined {
    const input = operators.flatMap(({ inputs }) => inputs).find(({ path }) => path === heldBackBy)
    if (input === undefined || input.path !== this.silent?.path || input.watermark !== this.silent.watermark) {
      this.silent = input === undefined ? undefined : { path: input.path, watermark: input.watermark, sinceMs: nowMs, told: false }
      return undefined
    }
    const forMs = nowMs - this.silent.sinceMs
    if (this.silent.told || forMs < silenceMs) return undefined
    this.silent.told = true
    return { kind: 'eventTimeHeldBack', path: input.path, watermark: input.watermark, forMs }
  }
}
