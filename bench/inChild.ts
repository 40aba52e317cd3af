import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A million groups of rxjs take several gigabytes. */
const plentyMb = 12_000

const child = fileURLToPath(new URL('child.ts', import.meta.url))

/** Has something measured in a process of its own: what one made of the platform's compiler and heap, no other one sees. */
export async function inChild<R>(
  kind: 'variant' | 'twins' | 'journal' | 'expiry' | 'backend' | 'raw',
  request: unknown,
  heapMb = plentyMb,
): Promise<R> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv, '--expose-gc', `--max-old-space-size=${heapMb}`, child, kind, JSON.stringify(request)],
    { maxBuffer: 2 ** 26 },
  )
  return JSON.parse(stdout) as R
}
