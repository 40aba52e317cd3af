import { type FileHandle, open } from 'node:fs/promises'

/** Lines in a file, as by hand one writes them: what waits is written and synced together, and told of afterwards. */
export class HandJournal {
  bytes = 0
  private waiting: string[] = []
  private writing = false

  private constructor(
    private readonly file: FileHandle,
    private readonly durable: (lines: readonly string[]) => void,
  ) {}

  static async open(path: string, durable: (lines: readonly string[]) => void): Promise<HandJournal> {
    return new HandJournal(await open(path, 'a'), durable)
  }

  push(line: string): void {
    this.waiting.push(line)
    if (!this.writing) void this.write()
  }

  /** One group, now. */
  async append(lines: readonly string[]): Promise<void> {
    const group = Buffer.from(`${lines.join('\n')}\n`)
    for (let done = 0; done < group.length; ) done += (await this.file.write(group, done)).bytesWritten
    await this.file.datasync()
    this.bytes += group.length
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private async write(): Promise<void> {
    this.writing = true
    // What comes in the same turn is one group.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      const group = this.waiting
      this.waiting = []
      await this.append(group)
      this.durable(group)
    }
    this.writing = false
  }
}
