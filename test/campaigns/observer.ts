/** Outside of every process under test: the ledger of what its sinks made visible, from the first look to the last. */
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as after } from 'node:timers/promises'
import type { Violation } from '../../laws/simulation/violation.js'
import { type Output, outputs } from './workload.js'

/** What is visible of one output, by part; of the parts that are known already, nothing but the name. */
export type Visible = ReadonlyMap<string, readonly string[] | undefined>

/** Reads what a reader of committed data may read. */
export type Reader = (output: Output, known: ReadonlySet<string>) => Promise<Visible>

/** Parts of the sinks of files: lines, in the order of the names. */
export const partsIn =
  (folder: string): Reader =>
  async (output, known) => {
    const found = new Map<string, readonly string[] | undefined>()
    const names = await readdir(`${folder}/${output}`).catch((error: { code?: unknown }) => (error.code === 'ENOENT' ? [] : Promise.reject(error)))
    for (const name of names.filter((each) => each.startsWith('part-')).sort()) {
      if (known.has(name)) found.set(name, undefined)
      else found.set(name, linesOf(await readFile(`${folder}/${output}/${name}`, 'utf8'), name))
    }
    return found
  }

function linesOf(text: string, name: string): readonly string[] {
  if (text === '') return []
  return text.endsWith('\n') ? text.slice(0, -1).split('\n') : [...text.split('\n'), `${name} is cut short`]
}

export interface Watching {
  /** Ends with the look that is under way. */
  stop(): Promise<void>
}

const lookEveryMs = 8

export class Observer {
  readonly violations: Violation[] = []
  readonly #seen = new Map<Output, Map<string, readonly string[]>>(outputs.map((output) => [output, new Map()]))

  constructor(private readonly read: Reader) {}

  /** Looks for what is new, and that all is there that was. */
  async look(): Promise<void> {
    for (const output of outputs) {
      const seen = this.#of(output)
      const visible = await this.read(output, new Set(seen.keys()))
      this.#missing(output, visible)
      for (const [name, lines] of visible) if (lines !== undefined) seen.set(name, lines)
    }
  }

  /** Looks again and again. */
  watch(): Watching {
    let over = false
    const looking = (async () => {
      while (!over) {
        await this.look()
        await after(lookEveryMs)
      }
    })()
    return {
      async stop() {
        over = true
        await looking
      },
    }
  }

  /** What is visible in the end, all of it read again: whatever was ever seen is still what it was. */
  async last(): Promise<{ readonly [O in Output]: readonly string[] }> {
    const found = { chains: [] as string[], sums: [] as string[] }
    for (const output of outputs) {
      const visible = await this.read(output, new Set())
      this.#missing(output, visible)
      for (const [name, lines] of this.#of(output))
        if (visible.has(name) && visible.get(name)?.join('\n') !== lines.join('\n')) this.#phantom(`${output}: ${name} is not what it was`)
      for (const lines of visible.values()) for (const line of lines ?? []) found[output].push(line)
    }
    return found
  }

  #of(output: Output): Map<string, readonly string[]> {
    return this.#seen.get(output) as Map<string, readonly string[]>
  }

  #missing(output: Output, visible: Visible): void {
    for (const name of this.#of(output).keys()) if (!visible.has(name)) this.#phantom(`${output}: ${name} was seen committed, and later was not`)
  }

  #phantom(what: string): void {
    this.violations.push({ kind: 'PHANTOM', what })
  }
}
