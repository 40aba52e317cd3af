import type { SavepointReader } from '../../../lib/processor/savepointReader.js'
import type { Call, CommandOption } from './command.js'

/** Options of commands that read one checkpoint. */
export const choosing: { readonly [name: string]: CommandOption } = {
  job: { type: 'string', value: 'NAME', says: 'which job, where the directory has several' },
  checkpoint: { type: 'string', value: 'N', says: 'one of the retained checkpoints; the newest unless told' },
}

/** Does something with the checkpoint that was chosen. */
export async function withChosen<A>(call: Call, place: string, use: (reader: SavepointReader) => Promise<A>): Promise<A> {
  const reader = await call.places.read(place, { job: call.text('job'), checkpoint: call.count('checkpoint') })
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}
