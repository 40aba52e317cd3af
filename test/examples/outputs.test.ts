import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programs } from '../../examples/programs.js'
import { started } from '../process/started.js'
import { root, textOf } from '../tidy/sourceFiles.js'
import { outputs } from './outputs.js'

describe('each program of examples/ prints what it should', () => {
  it.each(programs())('%s', async (program) => {
    const { main } = (await import(/* @vite-ignore */ join(root, `examples/${program}.ts`))) as { main(print: (line: string) => void): Promise<void> }
    const printed: string[] = []
    await main((line) => printed.push(line))
    expect(printed).toEqual(outputs[program])
  })
})

it('no output is expected of a program that is not there', () => {
  expect(Object.keys(outputs).sort()).toEqual(programs())
})

describe('the README of the examples', () => {
  const readme = textOf('examples/README.md')
  it.each(programs())('lists %s, once', (program) => {
    expect(readme.split('\n').filter((line) => line.startsWith(`| [${program}](${program}.ts) |`))).toHaveLength(1)
  })
})

it.each(programs())('the head of %s says how to run it', (program) => {
  expect(textOf(`examples/${program}.ts`)).toContain(` *     npm run example -- ${program}\n */`)
})

describe('on the command line', () => {
  it('a program runs by its name', async () => {
    const { status, output, errors } = await started('examples/run.ts', ['fullJoin']).ended
    expect({ status, errors, lines: output.trimEnd().split('\n') }).toEqual({ status: 0, errors: '', lines: outputs.fullJoin })
  })

  it('a program runs by its file', async () => {
    const { status, output } = await started('examples/ownOperator.ts', []).ended
    expect({ status, lines: output.trimEnd().split('\n') }).toEqual({ status: 0, lines: outputs.ownOperator })
  })

  it('without a name of a program the names are listed, with status 2', async () => {
    const [none, unknown] = await Promise.all([started('examples/run.ts', []).ended, started('examples/run.ts', ['run']).ended])
    expect([none.status, unknown.status]).toEqual([2, 2])
    for (const program of programs()) expect(none.errors.split('\n')).toContain(program)
  })
})
