import ts from 'typescript'
import type { Block } from './blocks.js'

/** The names that an example may use without an import, and the module that has each. */
export type Scope = ReadonlyMap<string, string>

/**
 * Makes a module of an example: `expression // => value` becomes an assertion that knows its file and line.
 *
 * An example that imports something is taken as it is; any other gets an import for each name that it uses and does not declare.
 */
export function programOf(block: Block, scope: Scope): string {
  const file = ts.createSourceFile('example.ts', block.code, ts.ScriptTarget.ES2022, true)
  const assertions = file.statements.flatMap((statement) => assertionOf(statement, block, file))
  // An assertion within a function would never be made: it is refused, or the page would claim what nobody checks.
  if (assertions.length !== assertionCount(block))
    throw new SyntaxError(`${block.file}:${block.line}: // => stands behind statements of the first level only`)
  const imports = importsItself(block) ? [] : missingImports(file, scope)
  // From the last to the first, so that positions stay right.
  const code = assertions.reduceRight((text, { start, end, replacement }) => text.slice(0, start) + replacement + text.slice(end), block.code)
  // All that is added stands in one line, so that a line of the program is a line of the page.
  return [[...imports, "import { assertSame } from '../../test/doc/assertSame.js'"].join('; '), code, 'export {}', ''].join('\n')
}

/** Whether an example says itself where its names come from. */
export const importsItself = ({ code }: Block): boolean => /^import\b/m.test(code)

/** How many assertions a block has. */
export const assertionCount = (block: Block): number => block.code.split('// =>').length - 1

interface Edit {
  readonly start: number
  readonly end: number
  readonly replacement: string
}

function assertionOf(statement: ts.Statement, block: Block, file: ts.SourceFile): readonly Edit[] {
  // Where the code ends, not the statement: without semicolons a `;` that begins the next line belongs to this statement.
  const codeEnd = ts.isExpressionStatement(statement)
    ? statement.expression.end
    : ts.isVariableStatement(statement)
      ? statement.declarationList.end
      : statement.end
  const claim = /^[ \t]*;?[ \t]*\/\/ =>[ \t]*(.*)/.exec(block.code.slice(codeEnd))?.[1]
  if (claim === undefined) return []
  const line = block.line + file.getLineAndCharacterOfPosition(codeEnd).line
  const where = `${block.file}:${line}`
  const expected = `() => (${claim.trim()})`
  parseExpression(claim, where)
  const end = codeEnd + block.code.slice(codeEnd).indexOf('\n')
  const lineEnd = end < codeEnd ? block.code.length : end
  if (ts.isExpressionStatement(statement)) {
    const start = statement.getStart(file)
    return [
      {
        start,
        end: lineEnd,
        replacement: `await assertSame(async () => (${statement.expression.getText(file)}), ${expected}, ${JSON.stringify(where)});`,
      },
    ]
  }
  const name = ts.isVariableStatement(statement) ? statement.declarationList.declarations.at(-1)?.name : undefined
  if (name === undefined || !ts.isIdentifier(name)) throw new SyntaxError(`${where}: only an expression or a variable can be followed by // =>`)
  return [{ start: codeEnd, end: lineEnd, replacement: `; await assertSame(async () => ${name.text}, ${expected}, ${JSON.stringify(where)});` }]
}

/** A claim that is no expression would make the whole module unreadable: it is refused with its line. */
function parseExpression(text: string, where: string): void {
  const { diagnostics } = ts.transpileModule(`void (${text}\n)`, { reportDiagnostics: true, compilerOptions: { target: ts.ScriptTarget.ES2022 } })
  if (text.trim() === '' || (diagnostics ?? []).length > 0) throw new SyntaxError(`${where}: what follows // => is no expression: ${text}`)
}

function missingImports(file: ts.SourceFile, scope: Scope): readonly string[] {
  const declared = new Set<string>()
  const used = new Set<string>()
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) boundNames(name, declared)
    else if ('name' in statement && statement.name !== undefined) declared.add((statement.name as ts.Identifier).text)
  }
  const visit = (node: ts.Node): void => {
    const { parent } = node
    const isMember = parent !== undefined && ts.isPropertyAccessExpression(parent) && parent.name === node
    const isLabel = parent !== undefined && ts.isPropertyAssignment(parent) && parent.name === node
    if (ts.isIdentifier(node) && !isMember && !isLabel && !ts.isTypeReferenceNode(parent)) used.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return [...used].filter((name) => !declared.has(name)).flatMap((name) => importOf(name, scope))
}

function boundNames(name: ts.BindingName, into: Set<string>): void {
  if (ts.isIdentifier(name)) into.add(name.text)
  else for (const element of name.elements) if (ts.isBindingElement(element)) boundNames(element.name, into)
}

/** Modules that examples know by one letter. */
const namespaces: { readonly [name: string]: string } = {
  durable: 'rxweir/durable',
  t: 'io-ts',
  z: 'zod',
  v: 'valibot',
  fc: 'fast-check',
  rx: 'rxjs',
}

function importOf(name: string, scope: Scope): readonly string[] {
  const namespace = namespaces[name]
  if (namespace !== undefined) return [`import * as ${name} from '${namespace}'`]
  const from = scope.get(name)
  return from === undefined ? [] : [`import { ${name} } from '${from}'`]
}
