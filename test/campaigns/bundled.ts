import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { build } from 'esbuild'
import { root } from '../../scripts/doors.js'

/** A program and the source it runs on as one file, so that its processes start in a tenth of a second. */
export interface Bundle {
  readonly path: string
  remove(): void
}

/** Where a package is found as usual. */
const folders = `${root}/.tmp`

export async function bundled(program: string): Promise<Bundle> {
  mkdirSync(folders, { recursive: true })
  const folder = mkdtempSync(`${folders}/campaign-`)
  await build({
    entryPoints: { program },
    absWorkingDir: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    tsconfig: 'tsconfig.json',
    // What is native, or looks for files of its own.
    external: ['lmdb', 'classic-level', 'pg'],
    // What is CommonJS asks for it.
    banner: { js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)" },
    logLevel: 'error',
  })
  return { path: `${folder}/program.mjs`, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
