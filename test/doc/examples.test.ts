import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doors } from '../../scripts/doors.js'
import { root } from '../tidy/sourceFiles.js'
import { type Block, blocks, docstringBlocks, pageBlocks } from './blocks.js'
import { assertionCount, programOf, type Scope } from './program.js'

mkdirSync(join(root, '.tmp'), { recursive: true })
const folder = mkdtempSync(join(root, '.tmp/doc-'))
// An example that writes files writes them where nobody looks, and a program that it starts finds its modules.
const files = mkdtempSync(join(root, '.tmp/doc-files-'))
const before = process.cwd()
Object.assign(process.env, {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${import.meta.resolve('tsx')}`,
  TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
})
let programs = 0

/** Writes the example as a module and runs it, in a directory of its own that has the files of its page. */
async function run(block: Block, scope: Scope): Promise<void> {
  const path = join(folder, `example${programs++}.ts`)
  writeFileSync(path, programOf(block, scope))
  process.chdir(mkdtempSync(join(files, 'run-')))
  for (const { name, text } of block.data ?? []) writeFileSync(name, text)
  try {
    await import(/* @vite-ignore */ path)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`the example at ${block.file}:${block.line} is wrong: ${message}`, { cause: error })
  }
}

/** What the doors and rxjs export. Where two export one name, the first has it. */
async function names(modules: readonly string[]): Promise<Scope> {
  const scope = new Map<string, string>()
  for (const module of modules) {
    const exported: object = await import(/* @vite-ignore */ module)
    for (const name of Object.keys(exported)) if (!scope.has(name)) scope.set(name, module)
  }
  return scope
}

afterAll(() => {
  process.chdir(before)
  for (const path of [folder, files]) rmSync(path, { recursive: true, force: true })
})

describe('the documentation tells the truth', () => {
  let scope: Scope = new Map()
  beforeAll(async () => {
    // The twins have the names of rxjs: they are written durable.scan.
    scope = await names([...doors.map(({ name }) => name).filter((name) => name !== 'rxweir/durable'), 'rxjs'])
  })

  it.each(blocks().map((block) => [`${block.file}:${block.line}`, block] as const))('%s', async (_where, block) => {
    expect(assertionCount(block), 'an example asserts something with // =>').toBeGreaterThan(0)
    await run(block, scope)
  })
})

describe('the extractor of examples', () => {
  const rxjs: Scope = new Map([
    ['of', 'rxjs'],
    ['firstValueFrom', 'rxjs'],
  ])
  const block = (code: string): Block => ({ file: 'page.md', line: 10, code })

  it('lets a true example pass', async () => {
    await run(block('const one: number = 1\nawait firstValueFrom(of(one)) // => 1\nconst all = [one] // => [1]\n;({ a: one }) // => { a: 1 }'), rxjs)
  })

  it('names file and line of a wrong value', async () => {
    await expect(run(block('1 + 1 // => 2\n1 + 1 // => 3'), rxjs)).rejects.toThrow(/page\.md:11/)
  })

  it('names file and line of a claim that is no expression', async () => {
    await expect(run(block('1 + 1 // => two or so'), rxjs)).rejects.toThrow(/page\.md:10/)
  })

  it('notices an example that does not run', async () => {
    await expect(run(block('missing() // => 1'), rxjs)).rejects.toThrow(/page\.md:10.*missing/)
  })

  it('finds a fenced example in a docstring, with its line', () => {
    const text = '/**\n * Text.\n *\n * @example Adding\n * ```ts\n * 1 + 1 // => 2\n * ```\n * @category none\n */\nexport const x = 1\n'
    expect(docstringBlocks('x.ts', text)).toEqual([{ file: 'x.ts', line: 6, code: '1 + 1 // => 2' }])
  })

  it('takes blocks that continue each other as one program, whose lines are those of the page', async () => {
    const [program, ...others] = pageBlocks('page.md', '# A\n```ts\nconst one = 1\n```\ntext\n```ts continued\none + 1 // => 3\n```\n')
    expect(others).toEqual([])
    expect(program).toMatchObject({ file: 'page.md', line: 3 })
    await expect(run(program as Block, rxjs)).rejects.toThrow(/page\.md:7/)
  })

  it('finds every program of a page, whether it asserts something or not', () => {
    expect(pageBlocks('page.md', '```ts\n1\n```\n```sh\nls\n```\n```ts\n2 // => 2\n```\n').map(({ line }) => line)).toEqual([2, 8])
    expect(() => pageBlocks('page.md', '```ts continued\n1\n```\n')).toThrow(/page\.md:1/)
  })

  it('hands a program the files that its page shows', async () => {
    const [program] = pageBlocks(
      'page.md',
      '```json numbers.jsonl\n1\n2\n```\n```ts\nimport { readFileSync } from "node:fs"\nreadFileSync("numbers.jsonl", "utf8") // => "1\\n2\\n"\n```\n',
    )
    await run(program as Block, rxjs)
  })

  it('sees every assertion that is written', () => {
    const nested = block('function f() {\n  1 // => 2\n}')
    expect(() => programOf(nested, rxjs)).toThrow(/page\.md/)
  })
})
