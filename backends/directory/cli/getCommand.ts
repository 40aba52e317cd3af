import { encodeKey, normalKey } from '../../../lib/key.js'
import { choosing, withChosen } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { LineWriter } from './lineWriter.js'
import { keyArgument, rowText } from './rowText.js'

export const getCommand: Command = {
  name: 'get',
  takes: ['DIR', 'UID', 'STATE', '[KEY]'],
  says: 'the rows of a state, of one key or of all, a line of JSON each; 1 where the key has none',
  options: choosing,
  run: (call) =>
    withChosen(call, 'get', async (reader, progress) => {
      const [, uid, state, asked] = call.positionals as readonly [string, string, string, string?]
      const wanted = asked === undefined ? undefined : encodeKey(normalKey(keyArgument(asked)))
      const lines = new LineWriter(call.io, progress)
      let found = 0
      for await (const row of reader.rows(uid, state)) {
        if (wanted !== undefined && encodeKey(row.key) !== wanted) continue
        found += 1
        await lines.add(rowText(row))
      }
      await lines.end()
      progress.end()
      if (wanted === undefined || found > 0) return exitCodes.fine
      call.io.err(`rxweir get: ${uid}/${state} has nothing of the key ${wanted}\n`)
      return exitCodes.finding
    }),
}
