import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/doors.js'

/** A project outside of ours that has installed what we would publish. */
export interface Consumer {
  readonly folder: string
  /** The files in the archive. */
  readonly packed: readonly string[]
  write(name: string, text: string): void
  /** Runs Node in the folder and answers what it printed. */
  node(...args: readonly string[]): string
  remove(): void
}

/** Packs the package and installs it as npm would, with the packages named beside it. Nothing is downloaded. */
export function consumer(...neighbours: readonly string[]): Consumer {
  if (!existsSync(join(root, 'dist/index.d.ts'))) throw new Error('there is no dist/ with types. Hint: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'rxweir-consumer-'))
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  const [archive] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }]
  execFileSync('tar', ['-xzf', join(folder, archive.filename), '-C', modules])
  execFileSync('mv', [join(modules, 'package'), join(modules, 'rxweir')])
  for (const name of neighbours) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  return {
    folder,
    packed: archive.files.map(({ path }) => path),
    write: (name, text) => writeFileSync(join(folder, name), text),
    node: (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'] } }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What everybody has who installs rxweir: its dependencies and the peer that it needs. */
export const required: readonly string[] = (() => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly dependencies: object }
  return ['rxjs', ...Object.keys(dependencies)]
})()
