import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface Ended {
  readonly status: number | null
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves with the first message, of those it has sent and will send, that the question says yes to. */
  message<T>(asked: (message: T) => boolean): Promise<T>
  /** Resolves when its output has a match, with what the match says. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Starts a program of the project, on the source, or a bundle as a process of its own. It does not outlive the test. */
export function started(program: string, args: readonly string[]): Started {
  const child = fork(resolve(root, program), args, {
    cwd: root,
    execArgv: program.endsWith('.ts') ? ['--import', 'tsx'] : [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const messages: unknown[] = []
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  let output = ''
  let errors = ''
  child.on('message', (message) => {
    messages.push(message)
    tell()
  })
  child.stdout?.on('data', (text) => {
    output += text
    tell()
  })
  child.stderr?.on('data', (text) => {
    errors += text
  })
  const ended = new Promise<Ended>((settle, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => {
      settle({ status, signal, output, errors })
      setImmediate(tell)
    })
  })
  const found = <A>(look: () => A | undefined, what: string): Promise<A> =>
    new Promise((settle, reject) => {
      const listener = (): void => {
        const answer = look()
        const over = child.exitCode !== null || child.signalCode !== null
        if (answer === undefined && !over) return
        listeners.delete(listener)
        if (answer !== undefined) settle(answer)
        else reject(new Error(`the process ended without ${what}: ${output}${errors}${JSON.stringify(messages.at(-1))}`))
      }
      listeners.add(listener)
      listener()
    })
  return {
    child,
    ended,
    message: <T>(asked: (message: T) => boolean) => found(() => messages.find((message) => asked(message as T)) as T | undefined, 'the message'),
    says: (pattern) => found(() => pattern.exec(output) ?? undefined, String(pattern)),
  }
}
