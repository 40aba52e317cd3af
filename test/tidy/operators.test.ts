import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, sourceFiles, textOf } from './sourceFiles.js'

const operators = sourceFiles(['operators']).filter((path) => basename(path) !== 'index.ts')

describe('each operator', () => {
  it('is found by this test', () => {
    expect(operators.length).toBeGreaterThan(0)
  })

  it.each(operators)('%s exports a function of its name', async (path) => {
    const module: Readonly<Record<string, unknown>> = await import(/* @vite-ignore */ join(root, path))
    expect(typeof module[basename(path, '.ts')], `${path} does not export ${basename(path, '.ts')}`).toBe('function')
  })

  it.each(operators)('%s has a test of its own', (path) => {
    const test = path.replace(/^operators\//, 'test/unit/').replace(/\.ts$/, '.test.ts')
    expect(existsSync(join(root, test)), `${test} is missing`).toBe(true)
  })

  it.each(operators)('%s leaves through the door', (path) => {
    const door = `${dirname(path)}/index.ts`
    expect(textOf(door), `${door} does not pass on ${path}`).toMatch(new RegExp(`\\b${basename(path, '.ts')}\\b`))
  })
})
