import { shown } from './shown.js'

export interface Progress {
  /** Flights of which a process has told that they arrived. */
  readonly flights: number
  readonly kills: number
  readonly checkpoints: number
}

const width = 24
const redrawMs = 80
/** So many lines where there is no terminal. */
const lines = 4

/** One line that is drawn anew; a few lines where the output is no terminal. */
export class ProgressBar {
  private drawnMs = 0
  private line = 0

  constructor(
    private readonly output: NodeJS.WriteStream,
    private readonly all: { readonly flights: number; readonly kills: number },
  ) {}

  show(progress: Progress): void {
    if (this.output.isTTY) {
      const nowMs = Date.now()
      if (nowMs - this.drawnMs < redrawMs) return
      this.drawnMs = nowMs
      this.output.write(`\r\u001b[K${this.text(progress)}`)
    } else if (progress.flights * lines >= (this.line + 1) * this.all.flights) {
      this.line = Math.floor((progress.flights * lines) / this.all.flights)
      this.output.write(`${this.text(progress)}\n`)
    }
  }

  /** Takes the bar away, so that something else can be written. */
  clear(): void {
    if (this.output.isTTY) this.output.write('\r\u001b[K')
  }

  private text({ flights, kills, checkpoints }: Progress): string {
    const done = Math.round((width * flights) / this.all.flights)
    return `  [${'#'.repeat(done)}${'-'.repeat(width - done)}] ${shown(flights)} of ${shown(this.all.flights)} flights, ${kills} of ${this.all.kills} kills, ${shown(checkpoints)} checkpoints`
  }
}
