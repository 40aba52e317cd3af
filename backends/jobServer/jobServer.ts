/**
 * A door to a running job for people and scripts: its figures, its state, its checkpoints.
 *
 * **Invariants** Nothing is answered to whoever does not have the token, asks under another name or out of a page that was not named. A
 * request can change nothing but take a checkpoint or a savepoint.
 *
 * **Fault model** Requests may be large, slow, malformed or cut; each costs its connection and nothing else.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError } from '../../lib/errors.js'
import type { JobEvent } from '../../lib/events.js'
import { atLeast } from '../../lib/limits.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { type Access, loopbackHosts, refusalOf } from './access.js'
import { CheckpointHistory } from './checkpointHistory.js'
import { type Answer, answerTo, failureOf, type Served } from './routes.js'
import { RunErrors } from './runErrors.js'
import type { ServedRun } from './servedRun.js'

export interface JobServerOptions {
  /** What every request has to carry, as `Authorization: Bearer …`: 16 characters or more, of chance. */
  readonly token: string
  /** Default `127.0.0.1`: asked from this machine only. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Names under which it may be asked, beside those of the loopback; needed with another `host`. */
  readonly allowedHosts?: readonly string[]
  /** Pages whose scripts may ask, such as `https://ops.example.org`. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Where a savepoint of a name goes. Without it none can be asked for. Names have letters, digits, `.`, `_` and `-` only. */
  readonly savepoints?: (name: string) => CheckpointStorage
}

export interface JobServer {
  readonly url: string
  close(): Promise<void>
}

const tokenLengthMin = 16
/** Of the body of a request. */
const bodyBytesMax = 16 * 1024
const requestTimeoutMs = 10_000

/**
 * Serves a running job over HTTP: `/metrics`, `/watermarks`, `/checkpoints`, `/savepoints`, `/state/{uid}/{state}`, and what they are in
 * `/openapi.json`.
 *
 * **When to use** to look into a job that runs, and to ask for a savepoint before a deployment. There is no server unless it is made.
 * **Security** it listens to this machine, and every request needs the token. It speaks no TLS: beyond this machine, put a proxy before it.
 *
 * @throws ConfigurationError `OPTION_INVALID` for a token that is too short, or a port out of its range
 * @example Asking a job for its figures
 * ```ts
 * const run = defineJob('sums', { storage: memory() }, ({ source, sink }) =>
 *   source('numbers', memorySource([1, 2], { bounded: false })).pipe(sink('out', memorySink<number>())),
 * ).run()
 * const server = await jobServer(run, { token: 'a-token-of-chance' })
 * const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: 'Bearer a-token-of-chance' } })
 * const { sinks } = await answer.json()
 * await server.close()
 * run.cancel()
 * sinks[0].uid // => 'out'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export async function jobServer(run: ServedRun, options: JobServerOptions): Promise<JobServer> {
  const { token, host = '127.0.0.1', port = 0 } = options
  if (typeof token !== 'string' || token.length < tokenLengthMin)
    throw new ConfigurationError('OPTION_INVALID', { option: 'token', expected: `${tokenLengthMin} characters or more` })
  atLeast('port', port, 0)
  const access: Access = {
    token,
    hosts: new Set([...loopbackHosts, ...(options.allowedHosts ?? [])].map((name) => name.toLowerCase())),
    origins: new Set(options.allowedOrigins ?? []),
  }
  const [history, errors] = [new CheckpointHistory(), new RunErrors()]
  // How the run ends is told to whoever waits for it; unheard, its error would end the process.
  const next = (event: JobEvent): void => {
    history.note(event)
    errors.note(event)
  }
  const events = run.events$.subscribe({ next, error: (error) => errors.failed(error) })
  const served: Served = { run, history, errors, savepoints: options.savepoints }
  const server = createServer((request, response) => void handle(request, response, access, served))
  server.requestTimeout = requestTimeoutMs
  server.headersTimeout = requestTimeoutMs
  await listening(server, host, port)
  const address = server.address() as AddressInfo
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        events.unsubscribe()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })

async function handle(request: IncomingMessage, response: ServerResponse, access: Access, served: Served): Promise<void> {
  const refusal = refusalOf(request, access)
  if (refusal !== undefined) return send(response, { status: refusal.status, body: { reason: refusal.reason } })
  try {
    const { method = 'GET', url = '/' } = request
    const body = method === 'GET' ? undefined : await bodyOf(request)
    if (body === tooLarge) return send(response, { status: 413, body: { reason: `a body has ${bodyBytesMax} bytes at most` } })
    if (body === malformed) return send(response, { status: 400, body: { reason: 'the body is no JSON' } })
    send(response, await answerTo({ method, url: new URL(url, 'http://job'), body }, served))
  } catch (error) {
    send(response, failureOf(error))
  }
}

const tooLarge: unique symbol = Symbol('too large')
const malformed: unique symbol = Symbol('malformed')

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bodyBytesMax) return tooLarge
    chunks.push(chunk)
  }
  if (length === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return malformed
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  response.end(`${JSON.stringify(body, plain)}\n`)
}

/** JSON has no infinities: event time before the first watermark, and at the end. */
const plain = (_name: string, value: unknown): unknown => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)
