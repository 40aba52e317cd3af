import type { CliIo } from './cliIo.js'

/** What is written in one piece. */
const pieceChars = 64 * 1024

/** Writes lines in large pieces: a write for each would take longer than the lines. */
export class LineWriter {
  private text = ''

  constructor(private readonly io: Pick<CliIo, 'out'>) {}

  /** Resolves at once where nothing has to be written yet. */
  add(line: string): Promise<void> | undefined {
    this.text += `${line}\n`
    return this.text.length < pieceChars ? undefined : this.end()
  }

  end(): Promise<void> {
    const { text } = this
    this.text = ''
    return text === '' ? Promise.resolve() : this.io.out(text)
  }
}
