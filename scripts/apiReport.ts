/**
 * Writes what each door exports, as declarations without comments, into etc/<door>.api.md: `npm run api`.
 *
 * The reports stand in the tree so that a change shows what it does to the public API. With `--check` nothing is written, and a
 * report that is out of date is an error. Reads the declarations of the last `npm run build`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import ts from 'typescript'
import { type Door, doors, root } from './doors.js'

const declarationsOf = (door: Door): string => `${root}dist/${door.file}.d.ts`
const missing = doors.find((door) => !existsSync(declarationsOf(door)))
if (missing !== undefined) throw new Error(`no declarations of ${missing.name}. Hint: npm run build`)

const program = ts.createProgram(doors.map(declarationsOf), {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  types: [],
  skipLibCheck: true,
})
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })
const stale: string[] = []
mkdirSync(`${root}etc`, { recursive: true })
for (const door of doors) {
  const path = `etc/${door.name.replaceAll('/', '-')}.api.md`
  const text = report(door)
  const before = existsSync(root + path) ? readFileSync(root + path, 'utf8') : undefined
  if (before === text) continue
  stale.push(path)
  if (!process.argv.includes('--check')) writeFileSync(root + path, text)
}
process.stdout.write(stale.length === 0 ? 'the API reports are up to date\n' : `changed: ${stale.join(', ')}\n`)
if (stale.length > 0 && process.argv.includes('--check')) {
  process.stderr.write('The public API differs from its report. Hint: npm run api, then look at the difference and commit it\n')
  process.exitCode = 1
}

function report(door: Door): string {
  const file = program.getSourceFile(declarationsOf(door))
  const symbol = file && checker.getSymbolAtLocation(file)
  const exported = symbol === undefined ? [] : checker.getExportsOfModule(symbol)
  const found = exported.map((each) => declared(each)).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return `# ${door.name}\n\n\`\`\`ts\n${found.map(({ text }) => text).join('\n')}\n\`\`\`\n`
}

/** The declarations behind a name; the bundler may have moved them to a shared file. */
function declared(symbol: ts.Symbol): { readonly name: string; readonly text: string } {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const text = (target.declarations ?? []).map((declaration) => {
    const whole = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
    if (whole.getSourceFile().fileName.includes('/node_modules/')) return `export { ${symbol.name} } from elsewhere`
    return printer.printNode(ts.EmitHint.Unspecified, whole, whole.getSourceFile()).replace(/^(export )?(declare )?/, 'export ')
  })
  return { name: symbol.name, text: text.join('\n') }
}
