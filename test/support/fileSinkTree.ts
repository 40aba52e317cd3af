import { gunzipSync } from 'node:zlib'
import type { FileLayer } from '../../lib/ports/fileLayer.js'

/** What a reader of a `fileSink` finds: finished parts by their path below the directory, in the order of their names. */
export async function finishedParts(files: FileLayer, path: string, buckets: readonly string[] = ['']): Promise<ReadonlyMap<string, string>> {
  const parts = new Map<string, string>()
  for (const bucket of buckets) {
    const folder = bucket === '' ? path : `${path}/${bucket}`
    const names = await files.list(folder).catch((error: { code?: unknown }) => (error.code === 'ENOENT' ? [] : Promise.reject(error)))
    for (const name of names.filter((each) => /^[^.].*-\d{6,16}-\d{9,16}/.test(each)).sort()) {
      const bytes = await bytesOf(files, `${folder}/${name}`)
      parts.set(bucket === '' ? name : `${bucket}/${name}`, (name.endsWith('.gz') ? gunzipSync(bytes) : Buffer.from(bytes)).toString('utf8'))
    }
  }
  return parts
}

async function bytesOf(files: FileLayer, path: string): Promise<Uint8Array> {
  const file = await files.open(path)
  try {
    const bytes = new Uint8Array(await file.size())
    for (let position = 0; position < bytes.length; ) position += await file.read(bytes.subarray(position), position)
    return bytes
  } finally {
    await file.close()
  }
}

/** The values in finished parts that hold lines of JSON. */
export async function finishedValues(files: FileLayer, path: string, buckets?: readonly string[]): Promise<unknown[]> {
  const values: unknown[] = []
  for (const [name, text] of await finishedParts(files, path, buckets)) {
    if (text === '') continue
    if (!text.endsWith('\n')) throw new Error(`${name} is cut short`)
    for (const line of text.slice(0, -1).split('\n')) values.push(JSON.parse(line))
  }
  return values
}

/** Files of parts that are not finished. */
export const stagedParts = async (files: FileLayer, path: string): Promise<string[]> =>
  (await files.list(`${path}/.parts`)).filter((name) => name.startsWith('.part-')).sort()
