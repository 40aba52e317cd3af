import { readFileSync } from 'node:fs'
import { build } from 'tsdown'
import { root } from '../tidy/sourceFiles.js'
import type { PlantedBug } from './bugs.js'

/** The text of a file with a bug in it. Throws where the engine has changed and the bug has no place any more. */
export function planted({ name, file, find, replace }: PlantedBug, text = readFileSync(`${root}/${file}`, 'utf8')): string {
  const places = text.split(find).length - 1
  if (places !== 1) throw new Error(`the planted bug "${name}" has ${places} places in ${file} instead of one: bring test/planted/bugs.ts up to date`)
  return text.replace(find, () => replace)
}

/** Bundles the hunt with an engine that has the bug, or with the engine as it is. */
export async function bundleHunt(bug: PlantedBug | undefined, folder: string): Promise<string> {
  let planting = bug === undefined
  await build({
    config: false,
    cwd: root,
    entry: { hunt: 'test/planted/hunt.ts' },
    outDir: folder,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    dts: false,
    clean: false,
    report: false,
    logLevel: 'silent',
    tsconfig: false,
    plugins: [
      {
        name: 'plant',
        transform(code: string, id: string) {
          if (bug === undefined || !id.replaceAll('\\', '/').endsWith(`/${bug.file}`)) return undefined
          planting = true
          return { code: planted(bug, code), map: null }
        },
      },
    ],
  })
  if (!planting) throw new Error(`the planted bug "${bug?.name}" is in ${bug?.file}, which no campaign runs`)
  return `${folder}/hunt.mjs`
}
