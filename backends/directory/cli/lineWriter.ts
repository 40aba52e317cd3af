import type { CliIo } from './cliIo.js'
import type { Progress } from './progress.js'

/** What is written in one piece. */
const pieceBytes = 64 * 1024
/** A character of a text takes no more in UTF-8. */
const charBytesMax = 3

/**
 * Writes lines in large pieces: a write for each would take longer than the lines. They become bytes at once, in a block that is used over and
 * over: texts that wait to be written live long enough to fill the heap.
 */
export class LineWriter {
  private block = Buffer.allocUnsafeSlow(2 * pieceBytes)
  private used = 0

  constructor(
    private readonly io: Pick<CliIo, 'out'>,
    private readonly progress: Progress,
  ) {}

  /** Resolves at once where nothing has to be written yet. */
  add(line: string): Promise<void> | undefined {
    this.put(line)
    return this.turn()
  }

  /** Takes a line from where nobody can wait; {@link turn} follows soon. */
  put(line: string): void {
    const bytesMax = this.used + line.length * charBytesMax + 1
    if (bytesMax > this.block.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytesMax, this.block.length * 2))
      this.block.copy(larger, 0, 0, this.used)
      this.block = larger
    }
    this.used += this.block.write(line, this.used)
    this.block[this.used] = 10
    this.used += 1
  }

  /** Writes what is there, where it is worth it. */
  turn(): Promise<void> | undefined {
    return this.used < pieceBytes ? undefined : this.end()
  }

  async end(): Promise<void> {
    const { used } = this
    if (used === 0) return
    this.progress.end()
    await this.io.out(this.block.subarray(0, used))
    this.used = 0
  }
}
