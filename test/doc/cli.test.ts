import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCli } from '../../backends/directory/cli/cli.js'
import { temporaryDirectory } from '../support/temporary.js'
import { textOf } from '../tidy/sourceFiles.js'

/** A command of a page, and what it is said to print. */
interface Shown {
  readonly line: number
  readonly command: string
  readonly printed: string
}

const page = textOf('docs/cli.md').split('\n')

/** The text of each fenced block of a kind, with the number of its first line. */
function fenced(info: RegExp): readonly { readonly info: string; readonly line: number; readonly lines: readonly string[] }[] {
  const found = []
  for (const [at, line] of page.entries()) {
    const opened = /^```(\w.*)$/.exec(line)?.[1]
    if (opened === undefined || !info.test(opened)) continue
    found.push({ info: opened, line: at + 2, lines: page.slice(at + 1, page.indexOf('```', at)) })
  }
  return found
}

const commands: readonly Shown[] = fenced(/^console$/).flatMap(({ line, lines }) =>
  lines.flatMap((text, at): readonly Shown[] => {
    if (!text.startsWith('$ ')) return []
    const end = lines.findIndex((each, index) => index > at && each.startsWith('$ '))
    return [{ line: line + at, command: text.slice(2), printed: lines.slice(at + 1, end < 0 ? undefined : end).join('\n') }]
  }),
)

/** `…` stands for anything within a line. */
const pattern = (printed: string): RegExp =>
  new RegExp(
    `^${printed
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )

it('every command of docs/cli.md prints what the page says', async () => {
  const folder = await temporaryDirectory()
  const before = process.cwd()
  process.chdir(folder)
  try {
    for (const { info, lines } of fenced(/^json \S+$/)) await writeFile(info.slice(5), `${lines.join('\n')}\n`)
    let last = 0
    for (const { line, command, printed } of commands) {
      if (command === 'echo $?') {
        expect(printed, `docs/cli.md:${line}`).toBe(String(last))
        continue
      }
      const [, call = '', input, output] = /^rxweir (.*?)(?: < (\S+))?(?: > (\S+))?$/.exec(command) ?? []
      let said = ''
      let out = ''
      last = await runCli(call.split(' '), {
        out: async (text) => {
          out += text
          if (output === undefined) said += text
        },
        err: (text) => {
          said += text
        },
        async *lines() {
          if (input !== undefined) yield* (await readFile(join(folder, input), 'utf8')).trimEnd().split('\n')
        },
        isWatched: false,
        clock: { nowMs: () => 0, callAt: () => () => undefined },
      })
      if (output !== undefined) await writeFile(join(folder, output), out)
      expect(said.replace(/\n$/, ''), `docs/cli.md:${line}: ${command}`).toMatch(pattern(printed))
    }
    expect(commands.length).toBeGreaterThan(10)
  } finally {
    process.chdir(before)
  }
})
