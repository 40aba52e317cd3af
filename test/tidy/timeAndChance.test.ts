import ts from 'typescript'
import { expect, it } from 'vitest'
import { publishedFolders, sourceFiles, textOf } from './sourceFiles.js'

/** Where the machine is asked, in a default that a caller may replace; and what for. */
const exceptions: { readonly [path: string]: readonly string[] } = {
  'lib/clock.ts': ['Date.now', 'setTimeout', 'setImmediate'],
  // The token in file names: tests hand in their own.
  'backends/directory/folder.ts': ['randomBytes'],
  // What must never come again is not for tests to choose: a salt of each file, and a name for the life of a folder.
  'backends/directory/sealing/fileProtection.ts': ['randomBytes'],
  // The same of rows: a salt of each checkpoint, and a name for the life of a storage.
  'lib/sealing/primitives.ts': ['crypto.getRandomValues'],
  'backends/lmdb/rowSealing.ts': ['randomBytes'],
}
const members = new Set(['Date.now', 'Math.random', 'performance.now', 'process.hrtime', 'crypto.randomUUID', 'crypto.getRandomValues'])
const functions = new Set(['setTimeout', 'setInterval', 'setImmediate', 'randomUUID', 'randomBytes'])

/** Where a text asks the machine for time or chance, as `line: what`. Strings and comments do not count. */
function asked(text: string): readonly string[] {
  const file = ts.createSourceFile('asked.ts', text, ts.ScriptTarget.ES2022, true)
  const found: string[] = []
  const report = (node: ts.Node, what: string): void => {
    found.push(`${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const path = node.getText().replace(/^globalThis\./, '')
      if (members.has(path) || (functions.has(path) && path !== node.getText())) report(node, path)
    } else if (ts.isIdentifier(node) && functions.has(node.text) && !ts.isPropertyAccessExpression(node.parent)) report(node, node.text)
    else if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0) report(node, 'new Date()')
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

it('time and chance are handed in: only the listed defaults ask the machine', () => {
  const unlisted = sourceFiles(publishedFolders).flatMap((path) =>
    asked(textOf(path))
      .filter((where) => !(exceptions[path] ?? []).some((what) => where.endsWith(`: ${what}`)))
      .map((where) => `${path}:${where}`),
  )
  expect(unlisted).toEqual([])
})

it.each([
  'Date.now()',
  'const now = Date.now',
  'new Date()',
  'Math.random()',
  'setTimeout(f, 1)',
  'globalThis.setTimeout(f)',
  'setImmediate(f)',
  'const { setImmediate } = globalThis',
  'performance.now()',
  'crypto.randomUUID()',
])('the search for time and chance sees %s', (text) => {
  expect(asked(text)).toHaveLength(1)
})

it.each(["'Date.now()'", '// Math.random()', 'new Date(0)', 'clock.nowMs()', 'Math.max(1, 2)', 'clearTimeout(timer)'])(
  'the search for time and chance passes over %s',
  (text) => {
    expect(asked(text)).toEqual([])
  },
)
