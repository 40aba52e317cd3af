import { RestoreError } from '../../../lib/errors.js'
import { savepointOfLines } from '../../../lib/processor/savepointLines.js'
import { type CliIo, exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { Progress } from './progress.js'
import { toldSavepoint } from './toldSavepoint.js'

export const importCommand: Command = {
  name: 'import',
  takes: ['NEW'],
  says: 'makes a savepoint in a new directory of the lines of export, from the standard input',
  options: { job: { type: 'string', value: 'NAME', says: 'the name of the job; the one in the lines unless told' } },
  async run(call) {
    const [place] = call.positionals as readonly [string]
    const job = call.text('job')
    const target = await call.places.fresh(place, job ?? 'any')
    const written = await savepointOfLines(target, watched(call.io), job)
    await toldSavepoint(call, [{ place, ...written }])
    return exitCodes.fine
  },
}

async function* watched(io: CliIo): AsyncGenerator<string> {
  const progress = new Progress(io, 'import')
  let lines = 0
  for await (const line of io.lines()) {
    lines += 1
    progress.add(line.length + 1)
    yield line
  }
  progress.end()
  if (lines === 0) throw new RestoreError('SAVEPOINT_MISSING', { reason: 'the standard input is empty' })
}
