import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The names of the programs of this folder: they have a `main`, and what several of them share does not. */
export function programs(): readonly string[] {
  const folder = import.meta.dirname
  return ['', 'wordCount/']
    .flatMap((below) => readdirSync(join(folder, below)).map((file) => `${below}${file}`))
    .filter((file) => file.endsWith('.ts') && readFileSync(join(folder, file), 'utf8').includes('\nexport async function main('))
    .map((file) => file.slice(0, -3))
    .sort()
}
