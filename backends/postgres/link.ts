/**
 * A connection that comes back.
 *
 * **Invariants** One piece of work at a time. A connection over which a statement may still be under way is never used again. A
 * transaction belongs to one connection: what is said in it is never said over another one.
 *
 * **Fault model** The connection may end at any moment, before, during or after a statement; the server may stop and start again.
 */
import { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.js'
import { invariant } from '../../lib/errors.js'
import { wait } from '../../lib/wait.js'
import type { Connecting } from './connection.js'
import { type Answer, type DriverClient, postgresDriver } from './driver.js'
import { ConnectionLost, isConflict, isLost, isRefusal, serverError } from './sqlState.js'

/** Where statements go. */
export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<Answer>
  /** The same with rows as arrays of their columns. */
  arrays(text: string, values?: readonly unknown[]): Promise<Answer>
}

/** A transaction under way. */
export interface Transaction extends Sql {
  /** Rejects where it was not committed. Where nobody answered: `unknown`, and it may be under way for a while. */
  commit(): Promise<'committed' | 'unknown'>
  /** Gives it up; so does the end of its connection. Never rejects. */
  rollback(): Promise<void>
}

/** The link was closed. */
export class LinkClosed extends Error {
  override readonly name = 'LinkClosed'
}

const firstPauseMs = 100
const lastPauseMs = 5_000

export class Link {
  #client: Connected | undefined
  #turn: Promise<unknown> = Promise.resolve()
  readonly #closing = new AbortController()

  constructor(
    private readonly connecting: Connecting,
    private readonly clock: Clock,
  ) {}

  /** Does work that may be done twice: where the connection ends it is done again, over another one. */
  again<A>(work: (sql: Sql) => Promise<A>): Promise<A> {
    return this.#inTurn(() =>
      this.#attempts(async () => {
        const client = await this.#connected()
        try {
          return await work(client)
        } catch (error) {
          if (isLost(error)) this.#drop(client)
          throw error
        }
      }),
    )
  }

  /** Does work in a transaction; all of it is done again where the transaction may not have been committed: it must see what it did before. */
  transaction<A>(work: (sql: Sql) => Promise<A>): Promise<A> {
    return this.#inTurn(() =>
      this.#attempts(async () => {
        const transaction = await this.#begin()
        let result: A
        try {
          result = await work(transaction)
        } catch (error) {
          await transaction.rollback()
          throw error
        }
        if ((await transaction.commit()) === 'committed') return result
        throw new ConnectionLost('nobody answered whether a transaction was committed')
      }),
    )
  }

  /** Begins a transaction, which has this link to itself until it ends. */
  begin(): Promise<Transaction> {
    return this.#inTurn(() => this.#attempts(() => this.#begin()))
  }

  /** What is under way may end, and nothing is tried again. */
  halt(): void {
    this.#closing.abort()
  }

  /** What is under way fails; nothing can be done afterwards. */
  async close(): Promise<void> {
    this.halt()
    const client = this.#client
    this.#client = undefined
    await client?.end()
    await this.#turn
  }

  async #begin(): Promise<Transaction> {
    const client = await this.#connected()
    const lose = (error: unknown): never => {
      if (isLost(error)) this.#drop(client)
      throw error
    }
    await client.query('BEGIN').catch(lose)
    return {
      query: (text, values) => client.query(text, values).catch(lose),
      arrays: (text, values) => client.arrays(text, values).catch(lose),
      async commit() {
        let answer: Answer
        try {
          answer = await client.query('COMMIT').catch(lose)
        } catch (error) {
          // What the server refused is not committed; where it said nothing, only reading tells.
          if (isLost(error)) return 'unknown'
          throw error
        }
        invariant(answer.command === 'COMMIT', 'a transaction in which a statement failed is not committed')
        return 'committed'
      },
      rollback: async () => {
        try {
          await client.query('ROLLBACK')
        } catch {
          // The end of the connection ends the transaction.
          this.#drop(client)
        }
      },
    }
  }

  #inTurn<A>(work: () => Promise<A>): Promise<A> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #attempts<A>(work: () => Promise<A>): Promise<A> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closing.signal.aborted) throw new LinkClosed('the connection was closed')
      try {
        return await work()
      } catch (error) {
        const passing = (isLost(error) && !isRefusal(error)) || isConflict(error)
        if (!passing || attempt >= this.connecting.attemptsMax || this.#closing.signal.aborted) throw error
        await wait(this.clock, Math.min(lastPauseMs, firstPauseMs * 2 ** (attempt - 1)), this.#closing.signal)
      }
    }
  }

  async #connected(): Promise<Connected> {
    if (this.#client?.lost === true) this.#client = undefined
    if (this.#client !== undefined) return this.#client
    const client = await Connected.to(this.connecting)
    if (this.#closing.signal.aborted) {
      client.destroy()
      throw new LinkClosed('the connection was closed')
    }
    this.#client = client
    return client
  }

  #drop(client: Connected): void {
    client.destroy()
    if (this.#client === client) this.#client = undefined
  }
}

/** One connection, from its first word to its last. */
class Connected implements Sql {
  lost = false

  private constructor(
    private readonly client: DriverClient,
    private readonly socket: () => Socket | undefined,
  ) {
    // An end that nobody waits for is noticed by the next statement.
    const ended = (): void => {
      this.lost = true
    }
    client.on('error', ended)
    client.on('end', ended)
  }

  static async to(connecting: Connecting): Promise<Connected> {
    const { Client } = await postgresDriver()
    const { connection, statementTimeoutMs, connectTimeoutMs, idleInTransactionMs, applicationName, byIndex = false } = connecting
    let socket: Socket | undefined
    const client = new Client({
      ...(typeof connection === 'string' ? { connectionString: connection } : connection),
      application_name: applicationName,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      connectionTimeoutMillis: connectTimeoutMs,
      // Behind the server's own limit: when it passes, nobody is there.
      query_timeout: Math.min(2 ** 31 - 1, statementTimeoutMs + 5_000),
      keepAlive: true,
      stream: () => {
        socket = new Socket()
        return socket
      },
    })
    const connected = new Connected(client, () => socket)
    try {
      await client.connect()
      if (byIndex) await connected.query('SET enable_sort = off; SET enable_bitmapscan = off')
    } catch (error) {
      connected.destroy()
      throw answered(error)
    }
    return connected
  }

  query(text: string, values?: readonly unknown[]): Promise<Answer> {
    return this.client.query(values === undefined ? { text } : { text, values }).catch(rethrow)
  }

  arrays(text: string, values: readonly unknown[] = []): Promise<Answer> {
    return this.client.query({ text, values, rowMode: 'array' }).catch(rethrow)
  }

  async end(): Promise<void> {
    if (this.lost) return this.destroy()
    try {
      await this.client.end()
    } catch {
      this.destroy()
    }
  }

  destroy(): void {
    this.lost = true
    this.socket()?.destroy()
  }
}

/** What the server answered, or that it did not. */
const answered = (error: unknown): unknown =>
  serverError(error) === undefined ? new ConnectionLost('the connection ended, or nobody answered', { cause: error }) : error

const rethrow = (error: unknown): never => {
  throw answered(error)
}
