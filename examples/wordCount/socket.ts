/**
 * Counts the words that come over a socket, and goes on counting after a restart.
 *
 * Flink's `socketTextStream(host, port)`. A socket cannot be asked for its lines again, so in Flink those since the last checkpoint are lost in
 * a crash. `checkpointed` notes each line in a journal before it is counted: what has arrived counts once. Behind it are plain values again;
 * they come at once, so after a crash those since the last checkpoint come a second time (`delivery: 'withCheckpoint'` gives them an id).
 *
 * A connection that ends is only cut off: with `atEnd: 'suspend'` the next one goes on where it was.
 *
 *     nc -lk 1234                                                  what is typed here is counted by
 *     npm run example -- wordCount/socket localhost:1234           which keeps its counts in state/, or in the folder named next
 *
 * Without an address it counts what a little server of its own says on two connections.
 *
 *     npm run example -- wordCount/socket
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { lastValueFrom, Observable, repeat, tap } from 'rxjs'
import { type CheckpointStorage, checkpointed } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { memory } from 'rxweir/backends/memory'
import { runningCounts } from './words.js'

/** The lines that a server sends until it hangs up. */
export const socketLines = (host: string, port: number): Observable<string> =>
  new Observable((subscriber) => {
    const socket = connect(port, host)
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => subscriber.next(line))
    lines.on('close', () => subscriber.complete())
    socket.on('error', (error) => subscriber.error(error))
    lines.on('error', (error) => subscriber.error(error))
    return () => socket.destroy()
  })

export const counted = (lines: Observable<string>, storage: CheckpointStorage): Observable<string> =>
  lines.pipe(checkpointed('socket-word-count', { storage, journal: true, atEnd: 'suspend' }, runningCounts))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const given = process.argv.findIndex((argument) => /^[^:]+:\d+$/.test(argument))
  if (given > 0) {
    const [host = '', port] = `${process.argv[given]}`.split(':')
    const path = process.argv[given + 1] ?? 'state'
    await lastValueFrom(counted(socketLines(host, Number(port)), directory(path)).pipe(tap(print)), { defaultValue: undefined })
    return
  }
  const connections = ['hello world\nhello flink\nhello java\n', 'hello again\n']
  const server = createServer((socket) => socket.end(connections.shift() ?? '')).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await lastValueFrom(counted(socketLines('localhost', port), memory()).pipe(tap(print), repeat(2)))
  server.close()
}

if (process.argv[1] === import.meta.filename) await main()
