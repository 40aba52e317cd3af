import type { CliIo } from './cliIo.js'
import { bytesText } from './textTable.js'

/** So often a line is written over. */
const everyMs = 200

/** How far long work is, for whoever watches: one line that is written over. */
export class Progress {
  private bytes = 0
  private lastMs: number
  private readonly startedMs: number
  private written = false

  constructor(
    private readonly io: CliIo,
    private readonly what: string,
    private readonly totalBytes?: number,
  ) {
    this.startedMs = this.lastMs = io.clock.nowMs()
  }

  add(bytes: number): void {
    this.bytes += bytes
    if (!this.io.isWatched) return
    const nowMs = this.io.clock.nowMs()
    if (nowMs - this.lastMs < everyMs) return
    this.lastMs = nowMs
    const perSecond = bytesText((this.bytes * 1000) / Math.max(1, nowMs - this.startedMs))
    const share =
      this.totalBytes === undefined ? '' : ` of ${bytesText(this.totalBytes)} (${Math.floor((this.bytes * 100) / Math.max(1, this.totalBytes))} %)`
    this.io.err(`\r\u001b[2K${this.what}: ${bytesText(this.bytes)}${share}, ${perSecond}/s`)
    this.written = true
  }

  /** Takes the line away, so that something else can be written in its place. */
  end(): void {
    if (this.written) this.io.err('\r\u001b[2K')
    this.written = false
  }
}
