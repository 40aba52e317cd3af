import type { SavepointReader } from '../../../lib/processor/savepointReader.js'
import type { Call, CommandOption } from './command.js'
import { Progress } from './progress.js'

/** Options of commands that read one checkpoint. */
export const choosing: { readonly [name: string]: CommandOption } = {
  job: { type: 'string', value: 'NAME', says: 'which job, where the directory has several' },
  checkpoint: { type: 'string', value: 'N', says: 'one of the retained checkpoints; the newest unless told' },
}

/** Does something with the checkpoint that was chosen, of the place that is named first, and shows how much of it was read. */
export async function withChosen<A>(call: Call, what: string, use: (reader: SavepointReader, progress: Progress) => Promise<A>): Promise<A> {
  const [place] = call.positionals as readonly [string]
  const progress = new Progress(call.io, what)
  const reader = await call.places.read(place, { job: call.text('job'), checkpoint: call.count('checkpoint'), progress })
  try {
    return await use(reader, progress)
  } finally {
    progress.end()
    await reader.close()
  }
}
