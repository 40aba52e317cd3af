import type { FileLayer } from '../../lib/ports/fileLayer.js'

async function textOf(files: FileLayer, path: string): Promise<string> {
  const file = await files.open(path)
  try {
    const bytes = new Uint8Array(await file.size())
    for (let position = 0; position < bytes.length; ) position += await file.read(bytes.subarray(position), position)
    return Buffer.from(bytes).toString('utf8')
  } finally {
    await file.close()
  }
}

/** What a reader of the committed parts of a `jsonLinesSink` sees: lines of whole files, in the order of their names. */
export async function committedLines(files: FileLayer, path: string): Promise<unknown[]> {
  const lines: unknown[] = []
  for (const name of (await files.list(path)).filter((name) => /^part-.*\.jsonl$/.test(name)).sort()) {
    const text = await textOf(files, `${path}/${name}`)
    if (!text.endsWith('\n')) throw new Error(`${name} is cut short`)
    for (const line of text.slice(0, -1).split('\n')) lines.push(JSON.parse(line))
  }
  return lines
}

/** Parts that are under way or wait for their commit. */
export const hiddenParts = async (files: FileLayer, path: string): Promise<string[]> =>
  (await files.list(path)).filter((name) => name.startsWith('.part-')).sort()
