import { encodeTagged } from '../../../lib/taggedJson.js'
import { choosing, withChosen } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { LineWriter } from './lineWriter.js'

export const keysCommand: Command = {
  name: 'keys',
  takes: ['DIR', 'UID', 'STATE'],
  says: 'the keys that have a state, each once, a line of JSON each',
  options: choosing,
  run: (call) =>
    withChosen(call, 'keys', async (reader, progress) => {
      const [, uid, state] = call.positionals as readonly [string, string, string]
      const lines = new LineWriter(call.io, progress)
      for await (const key of reader.keys(uid, state)) await lines.add(encodeTagged(key))
      await lines.end()
      return exitCodes.fine
    }),
}
