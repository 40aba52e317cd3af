import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const tests = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))

it('each line that must not compile says why', () => {
  const bare = files.flatMap((path) =>
    readFileSync(join(tests, path), 'utf8')
      .split('\n')
      .flatMap((line, index) => (/^\s*\/\/ @ts-expect-error(?!\s+\S+ \S+)/.test(line) ? [`${path}:${index + 1}`] : [])),
  )
  expect(files).toContain(join('type', 'usage.ts'))
  expect(bare, 'Hint: // @ts-expect-error <the reason, as a sentence>').toEqual([])
})

it('nothing is silenced with @ts-ignore or @ts-nocheck', () => {
  const silenced = files.filter((path) => /^\s*\/\/ @ts-(ignore|nocheck)/m.test(readFileSync(join(tests, path), 'utf8')))
  expect(silenced).toEqual([])
})
