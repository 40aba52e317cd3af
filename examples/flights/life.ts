import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Kill } from './kills.js'
import type { News, Orders } from './news.js'

/** How one process ended. */
export type End =
  | { readonly kind: 'killed'; readonly when: Kill['when'] }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }

export interface Life {
  readonly end: Promise<End>
  kill(): void
}

export interface LifeOptions {
  readonly orders: Orders
  /** Without one the process may go on to the end. */
  readonly kill?: Kill | undefined
  /** How long the last recovery took. */
  readonly recoveryMs?: number
  readonly heard?: (news: News) => void
}

/** A job that gets no further for so long is stuck, which is a failure too. */
const silenceMs = 30_000

const program = fileURLToPath(new URL('child.ts', import.meta.url))

/** Starts a process that runs the job, and kills it at its time. */
export function life({ orders, kill, recoveryMs = 20, heard = () => {} }: LifeOptions): Life {
  const child = fork(program, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let last: News | undefined
  let started = false
  let due = false
  let stuck = false
  const watch = setTimeout(() => {
    stuck = true
    child.kill('SIGKILL')
  }, silenceMs)
  const killAfter = (ms: number): void => {
    if (due) return
    due = true
    if (ms === 0) child.kill('SIGKILL')
    else setTimeout(() => child.kill('SIGKILL'), ms)
  }
  child.on('message', (message) => {
    const news = message as News
    last = news
    started ||= news.kind === 'started'
    if (news.kind !== 'checkpoint') watch.refresh()
    heard(news)
    if (kill?.when === 'recovering' && news.kind === 'starting') killAfter(kill.share * recoveryMs)
    if (kill?.when === 'running' && news.kind === 'arrived' && news.flight >= kill.flight) killAfter(kill.afterMs)
  })
  const end = async (): Promise<End> => {
    const signal = await gone(child)
    clearTimeout(watch)
    if (stuck) return { kind: 'failed', code: undefined, message: `it got no further for ${silenceMs / 1_000} s` }
    return endOf(signal, last, started)
  }
  return { end: end(), kill: () => child.kill('SIGKILL') }
}

function endOf(signal: string | null, last: News | undefined, started: boolean): End {
  if (last?.kind === 'finished' || last?.kind === 'failed') return last
  // A process that had not come to the job was not killed in the sense of this program.
  if (signal === 'SIGKILL' && last !== undefined) return { kind: 'killed', when: started ? 'running' : 'recovering' }
  return { kind: 'failed', code: undefined, message: `the process ended by itself (${signal ?? 'without a signal'})` }
}

/** Answers when the process has ended and all that it said has been heard. */
async function gone(child: ChildProcess): Promise<string | null> {
  const exit = new Promise<string | null>((resolve, reject) => {
    child.once('exit', (_status, signal) => resolve(signal))
    child.once('error', reject)
  })
  const heard = new Promise<void>((resolve) => child.once('disconnect', resolve))
  const [signal] = await Promise.all([exit, heard])
  return signal
}
