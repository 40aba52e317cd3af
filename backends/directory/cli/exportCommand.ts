import { savepointLines } from '../../../lib/processor/savepointLines.js'
import { choosing, withChosen } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { LineWriter } from './lineWriter.js'
import { Progress } from './progress.js'

export const exportCommand: Command = {
  name: 'export',
  takes: ['DIR'],
  says: 'a checkpoint as lines of JSON, one for each row',
  options: choosing,
  run: (call) =>
    withChosen(call, call.positionals[0] as string, async (reader) => {
      const lines = new LineWriter(call.io)
      const progress = new Progress(call.io, 'export')
      for await (const line of savepointLines(reader)) {
        progress.add(line.length + 1)
        await lines.add(line)
      }
      await lines.end()
      progress.end()
      return exitCodes.fine
    }),
}
