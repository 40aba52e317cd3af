/**
 * Combines the event time of several inputs that are joined into one stream.
 *
 * The rules are those of Flink's `StatusWatermarkValve`: the smallest watermark of the inputs that are active and have caught
 * up counts; the combined one only rises; an input that comes back with an older watermark does not hold the others back until
 * it has caught up; when the last active input goes idle, the largest watermark seen is let out first.
 *
 * One rule is ours: the end of time is let out when every input has ended, and not while one is only idle or behind. What such an
 * input brings later would be late, all of it. Until then a stream whose inputs have ended or are idle is idle itself.
 */
import type { Json } from './json.js'
import { storedTime, timeStored } from './storedTime.js'

interface Channel {
  watermark: number
  /** The last one that was not the end of time. */
  finite: number
  idle: boolean
  /** Counts for the minimum: active, and not behind what has been let out. */
  aligned: boolean
}

export class WatermarkValve {
  /** What has been let out last. */
  watermark = Number.NEGATIVE_INFINITY
  idle = false
  private finite = Number.NEGATIVE_INFINITY
  private readonly channels: Channel[]

  constructor(
    inputs: number,
    private readonly out: { watermark(timestampMs: number): void; status(idle: boolean): void },
  ) {
    this.channels = Array.from({ length: inputs }, () => ({
      watermark: Number.NEGATIVE_INFINITY,
      finite: Number.NEGATIVE_INFINITY,
      idle: false,
      aligned: true,
    }))
  }

  inputWatermark(input: number, timestampMs: number): void {
    const channel = this.channel(input)
    if (channel.idle || timestampMs <= channel.watermark) return
    channel.watermark = timestampMs
    if (timestampMs !== Number.POSITIVE_INFINITY) channel.finite = timestampMs
    if (!channel.aligned && timestampMs >= this.watermark) channel.aligned = true
    if (!this.resting) {
      this.becomeActive()
      this.letOutMinimum()
    } else if (!this.idle) this.becomeIdle()
  }

  inputStatus(input: number, idle: boolean): void {
    const channel = this.channel(input)
    if (channel.idle === idle) return
    channel.idle = idle
    if (idle) this.inputIdle(channel)
    else this.inputActive(channel)
  }

  /**
   * State for the checkpoint: without it a record that was late would be on time after a crash. The end of time is left out: an
   * input that has ended says so again after a restore, and one that was drained goes on.
   */
  snapshot(): Json {
    return {
      watermark: storedTime(this.finite),
      idle: this.idle,
      inputs: this.channels.map(({ finite, idle, aligned }) => [storedTime(finite), idle, aligned]),
    }
  }

  /** Takes over what `snapshot` returned, where the number of inputs is still the same. */
  restore(stored: Json): void {
    const { watermark, idle, inputs } = stored as { watermark: Json; idle: boolean; inputs: [Json, boolean, boolean][] }
    this.watermark = timeStored(watermark)
    this.finite = this.watermark
    if (inputs.length !== this.channels.length) return
    this.idle = idle
    inputs.forEach(([time, inputIdle, aligned], index) => {
      this.channels[index] = { watermark: timeStored(time), finite: timeStored(time), idle: inputIdle, aligned }
    })
  }

  private inputIdle(channel: Channel): void {
    channel.aligned = false
    if (!this.resting) {
      if (channel.watermark === this.watermark) this.letOutMinimum()
    } else if (channel.watermark === this.watermark || this.channels.some((each) => !each.idle)) this.becomeIdle()
    else this.restIdle()
  }

  /** Every input is idle or has ended, and not all have ended. */
  private get resting(): boolean {
    return (
      this.channels.every((each) => each.idle || each.watermark === Number.POSITIVE_INFINITY) &&
      this.channels.some((each) => each.watermark !== Number.POSITIVE_INFINITY)
    )
  }

  private becomeIdle(): void {
    this.letOut(Math.max(...this.channels.map((each) => each.finite)))
    this.restIdle()
  }

  private restIdle(): void {
    this.idle = true
    this.out.status(true)
  }

  private becomeActive(): void {
    if (!this.idle) return
    this.idle = false
    this.out.status(false)
  }

  private inputActive(channel: Channel): void {
    channel.aligned = channel.watermark >= this.watermark
    this.becomeActive()
  }

  private letOutMinimum(): void {
    let minimum = Number.POSITIVE_INFINITY
    let any = false
    for (const { aligned, watermark } of this.channels) {
      if (!aligned) continue
      any = true
      if (watermark < minimum) minimum = watermark
    }
    if (any && (minimum !== Number.POSITIVE_INFINITY || this.channels.every(({ watermark }) => watermark === minimum))) this.letOut(minimum)
  }

  private letOut(timestampMs: number): void {
    if (timestampMs <= this.watermark) return
    this.watermark = timestampMs
    if (timestampMs !== Number.POSITIVE_INFINITY) this.finite = timestampMs
    this.out.watermark(timestampMs)
  }

  private channel(input: number): Channel {
    return this.channels[input] as Channel
  }
}
