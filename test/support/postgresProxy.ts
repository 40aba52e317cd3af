import { createServer, type Server, Socket } from 'node:net'

/** What becomes of a statement on its way to the server. */
export type Fate =
  | 'pass'
  /** The connection ends, and the server never hears of it. */
  | 'lost'
  /** The connection ends when the server has done it, and nobody hears of that. */
  | 'unanswered'
  /** The client's connection ends; the statement, and the server's connection, wait for `release`. */
  | 'stuck'

export interface PostgresProxy {
  readonly port: number
  /** Asked for the fate of each statement. */
  fate: (statement: string) => Fate
  /** While true, nobody gets a connection. */
  refusing: boolean
  /** How many statements came by. */
  readonly statements: number
  /** Lets what is stuck go on. */
  release(): void
  /** Resolves when a statement that has this in it came by. */
  seen(part: string): Promise<void>
  close(): Promise<void>
}

/** Stands between a client and a server of Postgres, and knows when a statement passes. */
export async function postgresProxy(serverPort: number): Promise<PostgresProxy> {
  const open = new Set<Socket>()
  const stuck: (() => void)[] = []
  const waiting: { readonly part: string; readonly wake: () => void }[] = []
  let statements = 0
  const server: Server = createServer((client) => {
    if (proxy.refusing) return void client.destroy()
    const upstream = new Socket()
    for (const socket of [client, upstream]) socket.setNoDelay(true)
    open.add(client).add(upstream)
    const endBoth = (): void => {
      client.destroy()
      upstream.destroy()
    }
    /** The answer is not passed on, and ends the connection. */
    let muted = false
    /** Nothing is passed on in either direction. */
    let held: Buffer[] | undefined
    const asked = framing(true, (frame, type) => {
      const statement = statementIn(frame, type)
      const fate = statement === undefined || muted || held !== undefined ? 'pass' : decide(statement)
      if (fate === 'lost') return endBoth()
      if (fate === 'unanswered') muted = true
      if (fate === 'stuck') {
        held = []
        const frames = held
        stuck.push(() => {
          for (const each of frames) upstream.write(each)
          muted = true
          held = undefined
        })
        client.destroy()
      }
      if (held !== undefined) held.push(frame)
      else upstream.write(frame)
    })
    const decide = (statement: string): Fate => {
      statements += 1
      for (const waiter of waiting.splice(0)) {
        if (statement.includes(waiter.part)) waiter.wake()
        else waiting.push(waiter)
      }
      return proxy.fate(statement)
    }
    const answered = framing(false, (frame, type) => {
      if (!muted) client.write(frame)
      else if (type === 'Z') endBoth()
    })
    client.on('data', asked)
    upstream.on('data', answered)
    client.on('error', () => undefined)
    upstream.on('error', () => undefined)
    upstream.on('close', () => {
      open.delete(upstream)
      client.destroy()
    })
    client.on('close', () => {
      open.delete(client)
      if (held === undefined && !muted) upstream.destroy()
    })
    upstream.connect(serverPort, '127.0.0.1')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: PostgresProxy = {
    port: (server.address() as { readonly port: number }).port,
    fate: () => 'pass',
    refusing: false,
    get statements() {
      return statements
    },
    release() {
      for (const go of stuck.splice(0)) go()
    },
    seen: (part) => new Promise((wake) => waiting.push({ part, wake })),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** Cuts a stream of bytes into messages: a letter, a length that counts itself, a body. The first of a client has no letter. */
function framing(startsBare: boolean, take: (frame: Buffer, type: string) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  let bare = startsBare
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const head = bare ? 0 : 1
      if (rest.length < head + 4) return
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return
      const frame = rest.subarray(0, length)
      rest = rest.subarray(length)
      const type = bare ? '' : String.fromCharCode(frame[0] as number)
      bare = false
      take(frame, type)
    }
  }
}

/** The text of a statement, where a message of a client has one. */
function statementIn(frame: Buffer, type: string): string | undefined {
  if (type === 'Q') return frame.toString('utf8', 5, frame.length - 1)
  if (type !== 'P') return undefined
  const name = frame.indexOf(0, 5)
  return frame.toString('utf8', name + 1, frame.indexOf(0, name + 1))
}
