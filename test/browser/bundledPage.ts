import { build } from 'esbuild'
import { root } from '../../scripts/doors.js'

/** One file of a program and the source it runs on, for a browser: an import of anything of Node fails. */
export async function bundledPage(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    tsconfig: 'tsconfig.json',
    logLevel: 'silent',
  })
  return outputFiles[0]?.text as string
}
