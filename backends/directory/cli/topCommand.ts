import { readFile } from 'node:fs/promises'
import { exitCodes } from './cliIo.js'
import type { Call, Command } from './command.js'
import { JobServerClient } from './jobServerClient.js'
import { type TopFigures, TopWatch } from './topFigures.js'
import { fitted, topText } from './topText.js'
import { UsageError } from './usageError.js'

const intervalMsUsual = 1_000
/** Another screen without a cursor, and back. */
const [begins, ends] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l']

export const topCommand: Command = {
  name: 'top',
  takes: ['URL'],
  says: 'how a running job is, over and over, as its job server tells; q ends it',
  options: {
    token: { type: 'string', value: 'TOKEN', says: 'of the job server; RXWEIR_TOKEN of the environment unless told' },
    'token-file': { type: 'string', value: 'FILE', says: 'where the token is' },
    interval: { type: 'string', value: 'MS', says: `between two looks; ${intervalMsUsual} unless told` },
    once: { type: 'boolean', says: 'one look, with nothing to compare it to' },
  },
  async run(call) {
    const [url] = call.positionals as readonly [string]
    const client = new JobServerClient(url, await tokenOf(call))
    const everyMs = call.count('interval') ?? intervalMsUsual
    const watch = new TopWatch()
    const { io } = call
    const look = async (): Promise<TopFigures> => watch.take(await client.look(io.clock.nowMs()))
    // What is wrong from the start is told on the screen that is there.
    let figures = await look()
    const screen = call.json || call.flag('once') ? undefined : io.screen
    let over = false
    let wake = (): void => undefined
    const release = screen?.onEnd(() => {
      over = true
      wake()
    })
    if (screen !== undefined) await io.out(begins)
    try {
      for (;;) {
        if (call.json) await io.out(`${JSON.stringify(figures)}\n`)
        else if (screen === undefined) await io.out(`${topText(url, figures)}\n`)
        else {
          const { columns, rows } = screen.size()
          await io.out(`\u001b[H${fitted(topText(url, figures), columns, rows).join('\u001b[K\r\n')}\u001b[K\u001b[J`)
        }
        if (over || call.flag('once')) return exitCodes.fine
        await new Promise<void>((resolve) => {
          const cancel = io.clock.callAt(io.clock.nowMs() + everyMs, resolve)
          wake = () => {
            cancel()
            resolve()
          }
        })
        if (over) return exitCodes.fine
        figures = await look()
      }
    } finally {
      release?.()
      if (screen !== undefined) await io.out(ends)
    }
  },
}

/** A token on the command line is there for other users of the machine to see: it may be in a file or the environment, too. */
async function tokenOf(call: Call): Promise<string> {
  const file = call.text('token-file')
  if (file === undefined) {
    const token = call.text('token') ?? process.env['RXWEIR_TOKEN']
    if (token === undefined || token === '') throw new UsageError('it needs --token, --token-file or RXWEIR_TOKEN')
    return token
  }
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new UsageError(`--token-file: ${String((cause as Error).message)}`, { cause })
  }
}
