import { expect, it } from 'vitest'
import { type ErrorCode, errorTable } from '../../lib/errors.js'
import { errorPage } from '../../scripts/errorPage.js'
import { sourceFiles, textOf } from './sourceFiles.js'

const codes = Object.keys(errorTable) as ErrorCode[]
const tests = sourceFiles(['test'])
  .filter((path) => /\.(test|suite)\.ts$/.test(path) && !path.startsWith('test/tidy/'))
  .map(textOf)

it('each error code is raised by a test', () => {
  const unraised = codes.filter((code) => !tests.some((text) => new RegExp(`\\b${code}\\b`).test(text)))
  expect(unraised, `no test mentions ${unraised.join(', ')}. Hint: write a test that raises it, or remove the code`).toEqual([])
})

it('docs/errors.md is what the table says', () => {
  expect(textOf('docs/errors.md'), 'docs/errors.md is out of date. Hint: npm run docs').toBe(errorPage())
})

it('docs/errors.md has a heading for each code', () => {
  const page = textOf('docs/errors.md')
  expect(codes.filter((code) => !page.includes(`### ${code}\n`))).toEqual([])
})
