import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The folders that are published. */
export const publishedFolders = ['lib', 'operators', 'backends', 'laws'] as const

/** The TypeScript files below some folders, as paths relative to `base`. */
export function sourceFiles(folders: readonly string[], base = root): readonly string[] {
  return folders
    .filter((folder) => existsSync(join(base, folder)))
    .flatMap((folder) => readdirSync(join(base, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(base, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
}

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
