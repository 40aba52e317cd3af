import { BackendError } from '../../../lib/errors.js'
import type { RunMetrics } from '../../../lib/metrics.js'
import { UsageError } from './usageError.js'

/** Something that went wrong in the job. */
export interface RememberedError {
  readonly of: string
  readonly code?: string
  readonly reason: string
  readonly checkpointId?: number
  readonly uid?: string
}

/** What a job server told at one time. */
export interface Look {
  readonly atMs: number
  readonly metrics: RunMetrics
  /** The last ones, newest first. */
  readonly errors: readonly RememberedError[]
}

/** How long an answer may take, and how long it may be. */
const answerMs = 10_000
const answerBytesMax = 16 * 1024 * 1024

/** Asks a job server (`rxweir/backends/jobServer`) how its job is. */
export class JobServerClient {
  private readonly base: URL

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {
    try {
      this.base = new URL(url.endsWith('/') ? url : `${url}/`)
    } catch (cause) {
      throw new UsageError(`${url} is no address: http://127.0.0.1:8080 is one`, { cause })
    }
    if (this.base.protocol !== 'http:' && this.base.protocol !== 'https:') throw new UsageError(`${url} is no address of http or https`)
  }

  /**
   * @throws BackendError `JOB_SERVER_AWAY`, `JOB_SERVER_REFUSED`, `JOB_SERVER_OTHER`
   */
  async look(nowMs: number): Promise<Look> {
    const metrics = await this.asked('metrics')
    if (!isMetrics(metrics)) throw this.other('its figures are none of a job')
    const { errors } = metrics as { readonly errors?: unknown }
    return { atMs: nowMs, metrics, errors: Array.isArray(errors) ? errors : [] }
  }

  private async asked(path: string): Promise<unknown> {
    let answer: Response
    try {
      const headers = { authorization: `Bearer ${this.token}` }
      answer = await fetch(new URL(path, this.base), { headers, redirect: 'error', signal: AbortSignal.timeout(answerMs) })
    } catch (cause) {
      throw new BackendError('JOB_SERVER_AWAY', { url: this.url }, { cause: (cause as Error).cause ?? cause })
    }
    if ([401, 403, 421].includes(answer.status)) {
      await answer.body?.cancel()
      throw new BackendError('JOB_SERVER_REFUSED', { url: this.url, status: answer.status })
    }
    if (answer.status !== 200) {
      await answer.body?.cancel()
      throw this.other(`it answers ${path} with ${answer.status}`)
    }
    try {
      const body: unknown = JSON.parse(await textOf(answer))
      if (typeof body === 'object' && body !== null) return body
    } catch (cause) {
      if (cause instanceof BackendError) throw cause
      throw this.other(`it answers ${path} with something else than JSON`, cause)
    }
    throw this.other(`it answers ${path} with something else than an object`)
  }

  private other(reason: string, cause?: unknown): BackendError {
    return new BackendError('JOB_SERVER_OTHER', { url: this.url, reason }, { cause })
  }
}

async function textOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > answerBytesMax) throw new RangeError(`an answer has more than ${answerBytesMax} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function isMetrics(body: unknown): body is RunMetrics {
  const { job, runningMs, sources, operators, sinks, checkpoints } = body as { readonly [name: string]: unknown }
  if (typeof job !== 'string' || typeof runningMs !== 'number') return false
  return Array.isArray(sources) && Array.isArray(operators) && Array.isArray(sinks) && typeof checkpoints === 'object' && checkpoints !== null
}
