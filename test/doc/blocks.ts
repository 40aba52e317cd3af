import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishedFolders, root, sourceFiles } from '../tidy/sourceFiles.js'

/** A piece of documentation that claims to be true. */
export interface Block {
  readonly file: string
  /** The line of the first line of code, counted from 1. */
  readonly line: number
  readonly code: string
}

/** All examples in docstrings, and the blocks of pages that assert something. */
export function blocks(): readonly Block[] {
  const inSource = sourceFiles(publishedFolders).flatMap((file) => docstringBlocks(file, readFileSync(join(root, file), 'utf8')))
  const inPages = pages().flatMap((file) =>
    fenced(file, readFileSync(join(root, file), 'utf8').split('\n')).filter(({ code }) => code.includes('// =>')),
  )
  return [...inSource, ...inPages]
}

function pages(): readonly string[] {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return ['README.md', ...below.map((name) => `docs/${name.replaceAll('\\', '/')}`).sort()].filter((file) => existsSync(join(root, file)))
}

/** The fenced blocks behind an `@example` in the docstrings of a file. */
export function docstringBlocks(file: string, text: string): readonly Block[] {
  let inDocstring = false
  let inExample = false
  // Everything that is not an example is blanked, so that line numbers stay as they are.
  const lines = text.split('\n').map((line) => {
    if (/^\s*\/\*\*/.test(line)) inDocstring = true
    const content = line.replace(/^\s*\* ?/, '')
    if (/^@example\b/.test(content)) inExample = true
    else if (/^@\w/.test(content)) inExample = false
    const kept = inDocstring && inExample && !line.includes('*/') ? content : ''
    if (line.includes('*/')) {
      inDocstring = false
      inExample = false
    }
    return kept
  })
  return fenced(file, lines)
}

/** The blocks between ```ts and ```. */
function fenced(file: string, lines: readonly string[]): readonly Block[] {
  const found: Block[] = []
  let start: number | undefined
  lines.forEach((line, index) => {
    if (start === undefined && /^\s*```(ts|typescript)\b/.test(line)) start = index + 1
    else if (start !== undefined && /^\s*```\s*$/.test(line)) {
      found.push({ file, line: start + 1, code: lines.slice(start, index).join('\n') })
      start = undefined
    }
  })
  return found
}
