import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publishedFolders, root, sourceFiles } from '../tidy/sourceFiles.js'

/** A piece of documentation that claims to be true. */
export interface Block {
  readonly file: string
  /** The line of the first line of code, counted from 1. */
  readonly line: number
  readonly code: string
  /** The files that a page shows, for its programs to read. */
  readonly data?: readonly DataFile[]
}

export interface DataFile {
  readonly name: string
  readonly line: number
  readonly text: string
}

/** All examples in docstrings, and all programs of pages. */
export function blocks(): readonly Block[] {
  const inSource = sourceFiles(publishedFolders).flatMap((file) => docstringBlocks(file, readFileSync(join(root, file), 'utf8')))
  return [...inSource, ...pages().flatMap((file) => pageBlocks(file, readFileSync(join(root, file), 'utf8')))]
}

/** The pages that anybody reads: each program in them is run. */
export function pages(): readonly string[] {
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

/**
 * The programs of a page.
 *
 * ```` ```ts ```` begins a program, ```` ```ts continued ```` goes on with the one before it, and ```` ```json orders.jsonl ```` is a file
 * that the programs of the page find where they run, as ```` ```ts other.ts ```` is.
 */
export function pageBlocks(file: string, text: string): readonly Block[] {
  const lines = text.split('\n')
  const fences = fencesOf(lines)
  const data = fences.flatMap(({ info, from, to }) => {
    const name = fileNameIn(info)
    return name === undefined ? [] : [{ name, line: from + 1, text: `${lines.slice(from, to).join('\n')}\n` }]
  })
  const programs: Fence[][] = []
  for (const fence of fences.filter(isCode)) {
    if (!/\bcontinued\b/.test(fence.info)) programs.push([fence])
    else if (programs.length > 0) programs.at(-1)?.push(fence)
    else throw new SyntaxError(`${file}:${fence.from}: a block continues none`)
  }
  return programs.map((parts) => {
    const [first, last] = [parts[0] as Fence, parts.at(-1) as Fence]
    // What stands between the parts is blanked, so that line numbers stay as they are.
    const code = lines.slice(first.from, last.to).map((line, index) => {
      const at = first.from + index
      return parts.some(({ from, to }) => at >= from && at < to) ? line : ''
    })
    return { file, line: first.from + 1, code: code.join('\n'), data }
  })
}

/** The blocks between ```ts and ```. */
const fenced = (file: string, lines: readonly string[]): readonly Block[] =>
  fencesOf(lines)
    .filter(isCode)
    .map(({ from, to }) => ({ file, line: from + 1, code: lines.slice(from, to).join('\n') }))

/** What stands between two fences: the lines from `from` to before `to`, counted from 0. */
interface Fence {
  readonly info: string
  readonly from: number
  readonly to: number
}

/** What a fence says behind its language, if it has a dot. */
const fileNameIn = (info: string): string | undefined => /^\w+ +(\S+\.\S+)$/.exec(info)?.[1]

const isCode = ({ info }: Fence): boolean => /^(ts|typescript)\b/.test(info) && fileNameIn(info) === undefined

function fencesOf(lines: readonly string[]): readonly Fence[] {
  const found: Fence[] = []
  let open: { readonly info: string; readonly from: number } | undefined
  lines.forEach((line, index) => {
    const info = /^\s*```(.*)$/.exec(line)?.[1]?.trim()
    if (info === undefined) return
    if (open === undefined) open = { info, from: index + 1 }
    else if (info === '') {
      found.push({ ...open, to: index })
      open = undefined
    }
  })
  return found
}
