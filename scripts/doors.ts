import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** One way into the package. */
export interface Door {
  /** What a program imports: `rxweir/laws`. */
  readonly name: string
  /** The file it opens, without its ending and relative to the project: `laws/index`. The build has it under `dist/`. */
  readonly file: string
}

/** `exports` of package.json is the one list of doors: the build, the tests and the API reports read it from there. */
export const doors: readonly Door[] = Object.keys(manifest().exports)
  .filter((path) => path !== './package.json')
  .map((path) => ({ name: path.replace(/^\./, 'rxweir'), file: path === '.' ? 'index' : `${path.slice(2)}/index` }))

/** The package.json of the project. */
export function manifest(): {
  readonly exports: { readonly [path: string]: unknown }
  readonly typesVersions: { readonly '*': { readonly [path: string]: unknown } }
} {
  return JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
}
