import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { doors } from '../../scripts/doors.js'
import { type Consumer, consumer, required } from './consumer.js'

const all: Consumer = consumer(...required, 'fast-check', 'lmdb')
const least: Consumer = consumer(...required)
afterAll(() => {
  all.remove()
  least.remove()
})

describe('what we publish', () => {
  it('is the build, the licence and two pages', () => {
    const outside = all.packed.filter((path) => !/^dist\/.+\.(js|cjs|d\.ts|d\.cts)$/.test(path))
    expect(outside.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
  })

  it.each(doors)('$name loads with import', ({ name }) => {
    all.write('load.mjs', `import * as door from '${name}'\nprocess.stdout.write(String(Object.keys(door).length > 0))\n`)
    expect(all.node('load.mjs')).toBe('true')
  })

  it.each(doors)('$name loads with require', ({ name }) => {
    all.write('load.cjs', `process.stdout.write(String(Object.keys(require('${name}')).length > 0))\n`)
    expect(all.node('load.cjs')).toBe('true')
  })

  const onPeers = ['rxweir/laws', 'rxweir/backends/lmdb']
  it.each(doors.filter(({ name }) => !onPeers.includes(name)))('$name loads without the optional peers', ({ name }) => {
    least.write('load.mjs', `await import('${name}')\nprocess.stdout.write('loaded')\n`)
    expect(least.node('load.mjs')).toBe('loaded')
  })

  it('has the command line', () => {
    expect(all.node('node_modules/rxweir/dist/backends/directory/cli/main.js', 'help')).toContain('inspect DIR')
  })

  it('exports the same names with import and with require', () => {
    const specifiers = JSON.stringify(doors.map(({ name }) => name))
    all.write('names.cjs', `process.stdout.write(JSON.stringify(${specifiers}.map((name) => Object.keys(require(name)).sort())))\n`)
    all.write(
      'names.mjs',
      `process.stdout.write(JSON.stringify(await Promise.all(${specifiers}.map(async (name) => Object.keys(await import(name)).sort()))))\n`,
    )
    expect(all.node('names.mjs')).toBe(all.node('names.cjs'))
  })

  it.each(['mjs', 'cjs'])('shares its operators between the doors (%s)', (ending) => {
    const load = ending === 'mjs' ? (name: string) => `await import('${name}')` : (name: string) => `require('${name}')`
    all.write(
      `share.${ending}`,
      `const root = ${load('rxweir')}\nconst operators = ${load('rxweir/operators')}\nconst names = Object.keys(operators)\nprocess.stdout.write(String(names.length > 0 && names.every((name) => operators[name] === root[name])))\n`,
    )
    expect(all.node(`share.${ending}`)).toBe('true')
  })
})

describe.each(['rxweir', 'rxweir/operators'])('%s', (name) => {
  it('reaches nothing of Node', () => {
    const hook = `export async function resolve(specifier, context, next) {
      if (specifier.startsWith('node:') && context.parentURL.includes('/rxweir/')) throw new Error('rxweir asks for ' + specifier)
      return next(specifier, context)
    }`
    least.write(
      'refuse.mjs',
      `import { register } from 'node:module'\nregister('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))\n`,
    )
    least.write('portable.mjs', `await import('${name}')\nprocess.stdout.write('portable')\n`)
    expect(least.node('--import', join(least.folder, 'refuse.mjs'), 'portable.mjs')).toBe('portable')
  })
})
