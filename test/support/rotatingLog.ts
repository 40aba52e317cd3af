import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'

export interface RotatingLogOptions {
  readonly files: FileLayer
  readonly path: string
  readonly lines: readonly string[]
  /** A whole number from 0 to below `below`. */
  below(below: number): number
  /** Called between two steps of the writer. */
  between?(): Promise<void>
}

/**
 * A program that writes a log and another one that rotates it: `app.log` becomes `app.log.1`, and that `app.log.2`. The writer takes its time
 * with lines, and with the new file: it goes on in the old one, under its new name, until it looks.
 */
export async function writeRotatingLog({ files, path, lines, below, between = async () => undefined }: RotatingLogOptions): Promise<void> {
  let file = await files.create(path)
  let position = 0
  let old = 0
  /** The new file, which the writer has not seen yet. */
  let created: OpenFile | undefined
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text)
    position += await file.write(bytes, position)
    await between()
  }
  for (const line of lines) {
    const cut = below(3) === 0 ? below(line.length + 1) : 0
    if (cut > 0) await write(line.slice(0, cut))
    await write(`${line.slice(cut)}\n`)
    if (created === undefined && below(6) === 0) {
      for (let number = old; number >= 1; number -= 1) await files.rename(`${path}.${number}`, `${path}.${number + 1}`)
      await files.rename(path, `${path}.1`)
      old += 1
      await between()
      created = await files.create(path)
      await between()
    }
    if (created !== undefined && below(3) === 0) {
      await file.close()
      file = created
      position = 0
      created = undefined
    }
  }
  await created?.close()
  await file.close()
}

/**
 * The same, but `app.log` is copied to `app.log.1`, and truncated. While that is done nothing is written: who rotates a log like this loses
 * what is written between the copy and the truncation, whoever reads it.
 */
export async function writeCopiedLog({ files, path, lines, below, between = async () => undefined }: RotatingLogOptions): Promise<void> {
  const file = await files.create(path)
  let position = 0
  let old = 0
  const write = async (text: string): Promise<void> => {
    position += await file.write(Buffer.from(text), position)
    await between()
  }
  const rotate = async (): Promise<void> => {
    for (let number = old; number >= 1; number -= 1) await files.rename(`${path}.${number}`, `${path}.${number + 1}`)
    const content = new Uint8Array(position)
    for (let at = 0; at < position; ) at += await file.read(content.subarray(at), at)
    const copy = await files.create(`${path}.1`)
    for (let at = 0; at < position; ) at += await copy.write(content.subarray(at, at + 1 + below(64)), at)
    await copy.close()
    old += 1
    await file.truncate(0)
    position = 0
  }
  for (const line of lines) {
    const cut = below(3) === 0 ? below(line.length + 1) : 0
    if (cut > 0) await write(line.slice(0, cut))
    await write(`${line.slice(cut)}\n`)
    if (below(6) === 0) await rotate()
  }
  await file.close()
}
