import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** One way into the package. */
export interface Door {
  /** What a program imports: `rxweir/laws`. */
  readonly name: string
  /** The file it opens, without its ending and relative to the project: `operators/durable/index`. The build has it under `dist/`. */
  readonly file: string
}

/** `exports` of package.json is the one list of doors: the build, the tests and the API reports read it from there. */
export const doors: readonly Door[] = Object.entries(manifest().exports).flatMap(([path, opened]) =>
  typeof opened === 'string' ? [] : [{ name: path.replace(/^\./, 'rxweir'), file: opened.import.default.replace(/^\.\/dist\/|\.js$/g, '') }],
)

/** The files of programs that the package installs, as those of doors. */
export const programs: readonly string[] = Object.values(manifest().bin).map((path) => path.replace(/^\.\/dist\/|\.js$/g, ''))

/** The package.json of the project. */
export function manifest(): {
  readonly bin: { readonly [name: string]: string }
  readonly exports: { readonly [path: string]: string | { readonly import: { readonly default: string } } }
  readonly typesVersions: { readonly '*': { readonly [path: string]: unknown } }
} {
  return JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
}
