import { visitSavepointLines } from '../../../lib/processor/savepointLines.js'
import { choosing, withChosen } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { LineWriter } from './lineWriter.js'

export const exportCommand: Command = {
  name: 'export',
  takes: ['DIR'],
  says: 'a checkpoint as lines of JSON, one for each row',
  options: choosing,
  run: (call) =>
    withChosen(call, 'export', async (reader, progress) => {
      const lines = new LineWriter(call.io, progress)
      await visitSavepointLines(
        reader,
        (line) => lines.put(line),
        () => lines.turn(),
      )
      await lines.end()
      return exitCodes.fine
    }),
}
