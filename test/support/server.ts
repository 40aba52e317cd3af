import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answering = (response: ServerResponse, asked: Asked) => void

export interface TestServer {
  readonly url: string
  /** What it was asked, in order. */
  readonly asked: readonly Asked[]
  /** Resolves when it has been asked so often. */
  askedTimes(count: number): Promise<void>
  /** Ends every connection. */
  cut(): void
}

/** A server of the machine on a free port, until the test is over. */
export async function serving(answer: Answering): Promise<TestServer> {
  const asked: Asked[] = []
  const waiters: (() => void)[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { url: request.url ?? '', method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
      asked.push(one)
      answer(response, one)
      for (const wake of waiters.splice(0)) wake()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async askedTimes(count) {
      while (asked.length < count) await new Promise<void>((resolve) => waiters.push(resolve))
    },
    cut: () => server.closeAllConnections(),
  }
}

/** Answers with one of a list, the last one for ever. */
export const inTurn = (...answers: readonly Answering[]): Answering => {
  let count = 0
  return (response, asked) => answers[Math.min(count++, answers.length - 1)]?.(response, asked)
}

export const status =
  (code: number, headers: { readonly [name: string]: string } = {}): Answering =>
  (response) =>
    response.writeHead(code, headers).end()

export const lines =
  (...values: readonly unknown[]): Answering =>
  (response) =>
    response.end(values.map((value) => `${JSON.stringify(value)}\n`).join(''))

/** A file as servers of files answer for it. */
export const file =
  (content: () => { readonly text: string; readonly etag?: string } | undefined): Answering =>
  (response, { headers }) => {
    const found = content()
    if (found === undefined) return void response.writeHead(404).end()
    const bytes = Buffer.from(found.text)
    const answered: Record<string, string> = found.etag === undefined ? {} : { etag: found.etag }
    const first = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]
    const condition = headers['if-range']
    if (first === undefined || (condition !== undefined && condition !== found.etag)) return void response.writeHead(200, answered).end(bytes)
    const from = Number(first)
    if (from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    response.writeHead(206, { ...answered, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }).end(bytes.subarray(from))
  }
