import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { lastValueFrom, toArray } from 'rxjs'
import { memory } from 'rxweir/backends/memory'
import { expect, it, onTestFinished } from 'vitest'
import { counted, socketLines } from '../../examples/wordCount/socket.js'
import { started } from '../process/started.js'
import { temporaryDirectory } from '../support/temporary.js'

interface Speaker {
  readonly port: number
  /** The next one that calls. */
  called(): Promise<Socket>
}

/** A server on a free port that says what the test says. */
async function speaker(): Promise<Speaker> {
  const server = createServer().listen(0, 'localhost')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    called: async () => {
      const [socket] = (await once(server, 'connection')) as [Socket]
      // A client that is killed may reset the connection.
      socket.on('error', () => undefined)
      return socket
    },
  }
}

it('words of a socket count once although the process that counts them is killed', async () => {
  const { port, called } = await speaker()
  const path = await temporaryDirectory()
  const start = () => started('examples/run.ts', ['wordCount/socket', `localhost:${port}`, path])

  const firstCall = called()
  const first = start()
  const toFirst = await firstCall
  toFirst.write('hello world\nhello flink\n')
  await first.says(/\(flink,1\)\n/)
  first.child.kill('SIGKILL')
  const { output: before, signal } = await first.ended
  expect(signal).toBe('SIGKILL')

  const secondCall = called()
  const second = start()
  const toSecond = await secondCall
  toSecond.end('hello java\n')
  const { output: after, errors, status } = await second.ended
  expect({ errors, status }).toEqual({ errors: '', status: 0 })

  // What came since the last checkpoint comes again, from the journal and in the same order; so each line has its place.
  const counts = [...new Set(`${before}${after}`.trimEnd().split('\n'))]
  expect(counts).toEqual(['(hello,1)', '(world,1)', '(hello,2)', '(flink,1)', '(hello,3)', '(java,1)'])
})

it('a connection that is refused is an error, and nothing is forgotten', async () => {
  const { port, called } = await speaker()
  const storage = memory()
  const say = async (text: string): Promise<readonly string[]> => {
    const call = called()
    const counts = lastValueFrom(counted(socketLines('localhost', port), storage).pipe(toArray()))
    const socket = await call
    socket.end(text)
    return counts
  }
  expect(await say('hello world\n')).toEqual(['(hello,1)', '(world,1)'])
  await expect(lastValueFrom(counted(socketLines('localhost', 1), storage))).rejects.toThrow('ECONNREFUSED')
  expect(await say('hello')).toEqual(['(hello,2)'])
})
