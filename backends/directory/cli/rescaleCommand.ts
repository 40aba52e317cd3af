import type { SavepointReader } from '../../../lib/processor/savepointReader.js'
import { writeSavepoint } from '../../../lib/processor/writeSavepoint.js'
import { choosing } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { Progress } from './progress.js'
import { toldSavepoint } from './toldSavepoint.js'
import { UsageError } from './usageError.js'

export const rescaleCommand: Command = {
  name: 'rescale',
  takes: ['DIR...'],
  says: 'of the savepoints of all instances of a job those of another number of instances: NEW/0, NEW/1, …',
  options: {
    job: choosing['job'] as NonNullable<(typeof choosing)[string]>,
    to: { type: 'string', value: 'NEW', says: 'the directory for the new ones' },
    instances: { type: 'string', value: 'M', says: 'how many there will be' },
  },
  async run(call) {
    const [to, of] = [call.text('to'), call.count('instances')]
    if (to === undefined || of === undefined) throw new UsageError('it needs --to and --instances')
    const progress = new Progress(call.io, 'rescale')
    const readers: SavepointReader[] = []
    try {
      for (const place of call.positionals) readers.push(await call.places.read(place, { job: call.text('job'), checkpoint: undefined, progress }))
      const [{ job }] = readers as [SavepointReader]
      const places = Array.from({ length: of }, (_, index) => `${to}/${index}`)
      // All are looked at before the first is written.
      const targets = []
      for (const place of places) targets.push(await call.places.fresh(place, job))
      const written = []
      for (const [index, target] of targets.entries())
        written.push({ place: places[index] as string, ...(await writeSavepoint(target, job, { from: readers, instance: { index, of } })) })
      progress.end()
      await toldSavepoint(call, written)
      return exitCodes.fine
    } finally {
      progress.end()
      for (const reader of readers) await reader.close()
    }
  },
}
