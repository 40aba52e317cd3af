import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { WrongOption } from './options.js'

export interface StateFolder {
  readonly path: string
  /** Removes it, unless somebody asked for it. */
  leave(): void
}

export async function stateFolder(asked: string | undefined): Promise<StateFolder> {
  if (asked === undefined) {
    const path = await mkdtemp(join(tmpdir(), 'rxweir-flights-'))
    return { path, leave: () => rmSync(path, { recursive: true, force: true }) }
  }
  const path = resolve(asked)
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    if ((await readdir(path)).length > 0) throw new WrongOption(`--state ${asked} is not empty: expected a new folder`)
  } catch (error) {
    if (error instanceof WrongOption) throw error
    throw new WrongOption(`--state ${asked} is no usable folder: ${(error as Error).message}`)
  }
  return { path, leave: () => {} }
}
