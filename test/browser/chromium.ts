import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'

/** The browser on the PATH, if there is one. */
export const chromiumPath: string | undefined = (process.env['PATH'] ?? '')
  .split(':')
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path))

/** A page of the browser. */
export interface Tab {
  /** Resolves with the first thing that the page said, or says, that the question says yes to. A page says things with `say(text)`. */
  said(asked: (text: string) => boolean): Promise<string>
  close(): Promise<void>
}

export interface Chromium {
  open(url: string): Promise<Tab>
  /** Ends it as `kill -9` does, all of its processes. */
  kill(): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly params?: { readonly name?: string; readonly payload?: string; readonly exceptionDetails?: unknown }
  readonly result?: { readonly targetId?: string; readonly sessionId?: string }
  readonly error?: { readonly message: string }
}

const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe']

/** Starts the browser on a profile, and speaks the DevTools protocol with it over pipes. It does not outlive the test. */
export function chromium(profile: string): Chromium {
  const child = spawn(chromiumPath as string, [...flags, `--user-data-dir=${profile}`], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // Detached, it leads a group of its own.
    process.kill(-(child.pid as number), 'SIGKILL')
    await ended
  }
  onTestFinished(kill)
  const { send, listen } = protocol(child)
  return {
    kill,
    async open(url) {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const texts: string[] = []
      let wake = (): void => undefined
      listen((message) => {
        if (message.sessionId !== sessionId) return
        if (message.method === 'Runtime.bindingCalled') texts.push(message.params?.payload ?? '')
        else if (message.method === 'Runtime.exceptionThrown') texts.push(`failed: ${JSON.stringify(message.params?.exceptionDetails)}`)
        else return
        wake()
      })
      await send('Runtime.enable', {}, sessionId)
      await send('Runtime.addBinding', { name: 'say' }, sessionId)
      await send('Page.navigate', { url }, sessionId)
      return {
        async said(asked) {
          for (let from = 0; ; ) {
            const found = texts.slice(from).find((text) => asked(text) || text.startsWith('failed'))
            if (found !== undefined && asked(found)) return found
            if (found !== undefined) throw new Error(`the page ${found}`)
            from = texts.length
            await new Promise<void>((resolve) => {
              const before = wake
              wake = () => {
                before()
                resolve()
              }
            })
          }
        },
        async close() {
          await send('Target.closeTarget', { targetId })
        },
      }
    },
  }
}

type Send = (method: string, params: object, sessionId?: string) => Promise<NonNullable<Message['result']>>

/** Messages are JSON, each with a zero behind it. */
function protocol(child: ChildProcess): { readonly send: Send; listen(listener: (message: Message) => void): void } {
  const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const listeners: ((message: Message) => void)[] = []
  const answers = new Map<number, (message: Message) => void>()
  let count = 0
  let rest = ''
  // The browser may be killed while we write to it.
  to.on('error', () => undefined)
  from.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0')
    rest = parts.pop() as string
    for (const part of parts) {
      const message = JSON.parse(part) as Message
      if (message.id === undefined) for (const listener of listeners) listener(message)
      else answers.get(message.id)?.(message)
    }
  })
  return {
    listen: (listener) => void listeners.push(listener),
    send: (method, params, sessionId) =>
      new Promise((resolve, reject) => {
        const id = (count += 1)
        answers.set(id, ({ error, result }) => (error === undefined ? resolve(result ?? {}) : reject(new Error(`${method}: ${error.message}`))))
        to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      }),
  }
}
