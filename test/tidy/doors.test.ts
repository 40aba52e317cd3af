import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { doors, manifest } from '../../scripts/doors.js'
import { publishedFolders, root, sourceFiles, textOf } from './sourceFiles.js'

/** The index.ts files that are no doors. lib/index.ts is what the root door passes on. */
const strayIndexes = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => /(^|\/)index\.ts$/.test(path) && path !== 'lib/index.ts' && !doors.some(({ file }) => `${file}.ts` === path))

describe('the doors', () => {
  it.each(doors)('$name opens a file that exists', ({ file }) => {
    expect(existsSync(join(root, `${file}.ts`)), `${file}.ts is missing`).toBe(true)
  })

  it.each(doors)('$name has types and code for import and for require, and a path for old resolution', ({ name, file }) => {
    const path = name.replace(/^rxweir/, '.')
    expect(manifest().exports[path]).toEqual({
      import: { types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` },
      require: { types: `./dist/${file}.d.cts`, default: `./dist/${file}.cjs` },
    })
    if (path !== '.') expect(manifest().typesVersions['*'][path.slice(2)]).toEqual([`./dist/${file}.d.cts`])
  })

  it('are the only files named index.ts', () => {
    expect(strayIndexes(sourceFiles(publishedFolders))).toEqual([])
    expect(strayIndexes(['lib/index.ts', 'lib/state/index.ts', 'operators/index.ts'])).toEqual(['lib/state/index.ts'])
  })

  it('name what they pass on; only the root door passes on everything', () => {
    const passesOnAll = doors.filter(({ file }) => file !== 'index').map(({ file }) => `${file}.ts`)
    expect([...passesOnAll, 'lib/index.ts'].filter((path) => existsSync(join(root, path)) && /export \* from/.test(textOf(path)))).toEqual([])
  })
})
