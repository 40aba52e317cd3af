/** One process of the program under test, from its start to its end. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Orders, Said } from './orders.js'

export interface Life {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly said: readonly Said[]
  /** Resolves when it has said so, or has ended. */
  until(what: Said[0]): Promise<void>
  readonly ended: Promise<void>
  /** What it has written to its standard error. */
  readonly errors: () => string
}

/** Starts a program, `under` another one if told. `running` holds all that have not ended, for whoever has to end them. */
export function begun(program: string, orders: Orders, running: Set<ChildProcess>, under: readonly string[] = []): Life {
  const [first = process.execPath, ...rest] = [...under, process.execPath, program, JSON.stringify(orders)]
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const said: Said[] = []
  let unfinished = ''
  let errors = ''
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const waiter of waiting) waiter()
  }
  child.stdout.on('data', (text) => {
    const lines = `${unfinished}${text}`.split('\n')
    unfinished = lines.pop() ?? ''
    for (const line of lines) said.push(line.split(' ') as unknown as Said)
    wake()
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  let over = false
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      over = true
      running.delete(child)
      resolve()
      wake()
    })
  })
  const until = (what: Said[0]): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!over && !said.some(([word]) => word === what)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { child, said, until, ended, errors: () => errors }
}

/** What the words of one life tell. */
export interface Story {
  readonly restored: number | undefined
  readonly started: boolean
  /** Its newest checkpoint that was complete. */
  readonly complete: number | undefined
  readonly checkpoints: number
  /** A checkpoint was under way at its end. */
  readonly inCheckpoint: boolean
  /** A checkpoint failed. */
  readonly aborted: boolean
  readonly ends: readonly (number | undefined)[]
  readonly done: boolean
  readonly failure: string | undefined
}

export function storyOf(said: readonly Said[]): Story {
  const of = (what: Said[0]): readonly Said[] => said.filter(([word]) => word === what)
  const numberIn = (line: Said | undefined, at = 1): number | undefined =>
    line?.[at] === undefined || line[at] === 'none' ? undefined : Number(line[at])
  const last = said.filter(([word]) => word === 'begun' || word === 'complete' || word === 'aborted').at(-1)
  const failed = of('failed')[0]
  return {
    restored: numberIn(of('restored')[0]),
    started: of('started').length > 0,
    complete: numberIn(of('complete').at(-1)),
    checkpoints: of('complete').length,
    inCheckpoint: last?.[0] === 'begun',
    aborted: of('aborted').length > 0,
    ends: [0, 1].map((partition) =>
      numberIn(
        of('ends').find(([, at]) => at === String(partition)),
        2,
      ),
    ),
    done: of('done').length > 0,
    failure: failed?.slice(1).join(' '),
  }
}
