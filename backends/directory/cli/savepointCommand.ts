import { writeSavepoint } from '../../../lib/processor/writeSavepoint.js'
import { choosing, withChosen } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { toldSavepoint } from './toldSavepoint.js'
import { UsageError } from './usageError.js'

export const savepointCommand: Command = {
  name: 'savepoint',
  takes: ['DIR', 'NEW'],
  says: 'copies the newest complete checkpoint into a new directory, where a job can begin with it',
  options: {
    ...choosing,
    as: { type: 'string', value: 'NAME', says: 'another name for the job' },
    rename: { type: 'string', multiple: true, value: 'OLD=NEW', says: 'another uid for an operator, a source or a sink' },
    without: { type: 'string', multiple: true, value: 'UID', says: 'leave an operator out' },
    settled: { type: 'boolean', says: 'its transactions are known to be committed: leave them out' },
    compact: { type: 'boolean', says: 'leave out what was written over: takes longer, and less room' },
  },
  run: (call) =>
    withChosen(call, 'savepoint', async (reader, progress) => {
      const place = call.positionals[1] as string
      const job = call.text('as') ?? reader.job
      const renamed = Object.fromEntries(call.texts('rename').map(renaming))
      const settled = call.flag('settled')
      const target = await call.places.fresh(place, job)
      const written = await writeSavepoint(target, job, {
        from: reader,
        renamed,
        without: call.texts('without'),
        compact: call.flag('compact'),
        settled,
      })
      progress.end()
      await toldSavepoint(call, [{ place, ...written }])
      const pending = reader.transactions.length
      if (pending > 0 && !settled)
        call.io.err(
          `note: ${pending} decided transactions are in it. A job that begins with it commits them, again if they are: it needs the sinks that have them. --settled leaves them out\n`,
        )
      return exitCodes.fine
    }),
}

function renaming(text: string): readonly [string, string] {
  const [old = '', name = '', ...rest] = text.split('=')
  if (old === '' || name === '' || rest.length > 0) throw new UsageError(`--rename: ${text} is not OLD=NEW`)
  return [old, name]
}
