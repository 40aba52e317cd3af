import { readdir, readFile } from 'node:fs/promises'
import type { Results } from './expected.js'

/** What a reader of a sink sees: the lines of its committed parts, in the order of their names. */
export async function linesOf<T>(sink: string): Promise<readonly T[]> {
  const parts = (await readdir(sink)).filter((name) => /^part-.*\.jsonl$/.test(name)).sort()
  const found: T[] = []
  for (const part of parts) {
    const text = await readFile(`${sink}/${part}`, 'utf8')
    if (!text.endsWith('\n')) throw new Error(`${sink}/${part} is cut short`)
    for (const line of text.slice(0, -1).split('\n')) found.push(JSON.parse(line) as T)
  }
  return found
}

/** All of a job. */
export async function committed(folder: string): Promise<Results> {
  return { running: await linesOf(`${folder}/running`), daily: await linesOf(`${folder}/daily`), late: await linesOf(`${folder}/late`) }
}
