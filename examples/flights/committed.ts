import { readdir, readFile } from 'node:fs/promises'
import type { Results } from './expected.js'

/** What a reader of the sinks sees: the lines of the committed parts, in the order of their names. */
export async function committed(folder: string): Promise<Results> {
  const lines = async <T>(sink: string): Promise<T[]> => {
    const parts = (await readdir(`${folder}/${sink}`)).filter((name) => /^part-.*\.jsonl$/.test(name)).sort()
    const found: T[] = []
    for (const part of parts) {
      const text = await readFile(`${folder}/${sink}/${part}`, 'utf8')
      if (!text.endsWith('\n')) throw new Error(`${sink}/${part} is cut short`)
      for (const line of text.slice(0, -1).split('\n')) found.push(JSON.parse(line) as T)
    }
    return found
  }
  return { running: await lines('running'), daily: await lines('daily'), late: await lines('late') }
}
