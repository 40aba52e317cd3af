import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { doors, root } from '../../scripts/doors.js'
import { type Consumer, consumer, required } from './consumer.js'

const project: Consumer = consumer(...required, 'fast-check', 'lmdb', 'abstract-level', '@types/node')
afterAll(() => project.remove())

/** The compilers and resolutions that our types have to please. */
const oldest = join(root, 'node_modules/rxweir-oldest-compiler/node_modules/typescript/bin/tsc')
const newest = join(root, 'node_modules/typescript/bin/tsc')
const settings = [
  ['the oldest compiler, resolution node', oldest, { module: 'commonjs', moduleResolution: 'node' }],
  ['the oldest compiler, resolution node16', oldest, { module: 'node16', moduleResolution: 'node16' }],
  ['the oldest compiler, resolution bundler', oldest, { module: 'esnext', moduleResolution: 'bundler' }],
  ['our compiler, resolution nodenext', newest, { module: 'nodenext', moduleResolution: 'nodenext' }],
  ['our compiler, resolution bundler', newest, { module: 'esnext', moduleResolution: 'bundler' }],
] as const

describe('the types of every door', () => {
  it.each(settings)('compile with %s', (_name, compiler, options) => {
    const imports = doors.map(({ name }, index) => `import * as door${index} from '${name}'`)
    // A name that is `any`, because its declaration was not found, would accept this assignment.
    const uses = doors.map(
      (_door, index) => `// @ts-expect-error a door is not a number, and not any\nexport const use${index}: number = door${index}`,
    )
    const text = [...imports, ...uses, ''].join('\n')
    const files = options.moduleResolution.startsWith('node1') || options.moduleResolution === 'nodenext' ? ['esm.mts', 'cjs.cts'] : ['plain.ts']
    for (const file of files) project.write(file, text)
    // Our declarations are checked, not only those of the consumer.
    const compilerOptions = { ...options, target: 'es2022', lib: ['es2023', 'dom'], strict: true, skipLibCheck: false, types: ['node'], noEmit: true }
    project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
    expect(diagnostics(compiler)).toBe('')
  })

  function diagnostics(compiler: string): string {
    try {
      return execFileSync(process.execPath, [compiler, '-p', project.folder], { cwd: project.folder, encoding: 'utf8' })
    } catch (error) {
      // What other packages have wrong in their own declarations is not ours to mend; all of ours is in rxweir or at the top.
      const lines = String((error as { stdout?: unknown }).stdout).split('\n')
      return lines.filter((line) => /^(node_modules\/rxweir\/|(esm|cjs|plain)\.|error)/.test(line)).join('\n')
    }
  }
})

/** Declarations that cannot be said without `any`, each with its reason. */
const exceptions: readonly string[] = [
  // What a schema accepts before it has decoded is not known, and `unknown` in that place would refuse every schema.
  'CodecOf',
]

it('no published type is any', () => {
  const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'))
  const found = files.flatMap((name) => {
    const file = ts.createSourceFile(name, readFileSync(join(root, 'dist', name), 'utf8'), ts.ScriptTarget.ES2022, true)
    return file.statements.filter(hasAny).map(nameOf)
  })
  expect([...new Set(found)].filter((name) => !exceptions.includes(name)).sort()).toEqual([])
})

function hasAny(node: ts.Node): boolean {
  return node.kind === ts.SyntaxKind.AnyKeyword || ts.forEachChild(node, (child) => hasAny(child) || undefined) === true
}

function nameOf(statement: ts.Statement): string {
  const named = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : (statement as { name?: ts.Identifier })
  return named?.name?.getText() ?? statement.getText().slice(0, 60)
}
