/**
 * A process whose numbers come from nowhere and cannot come again. It kills itself at one of its file operations.
 *
 * What it says goes to a file: what was sent to another process may still be on its way, and die with the one that sent it.
 */
import { appendFileSync } from 'node:fs'
import { Subject } from 'rxjs'
import { checkpointed } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { counting } from '../support/countedValues.js'
import { dyingFiles } from './dyingFiles.js'

export interface HotOrders {
  readonly folder: string
  /** The file for its news, a line each. */
  readonly news: string
  readonly delivery: 'immediate' | 'withCheckpoint'
  /** The first number; they go on from there. */
  readonly from: number
  readonly count: number
  readonly dieAt?: number
}

export type HotNews =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly message: string }

const { folder, news, delivery, from, count, dieAt } = JSON.parse(process.argv[2] ?? '{}') as HotOrders
const tell = (said: HotNews): void => appendFileSync(news, `${JSON.stringify(said)}\n`)
process.once('disconnect', () => process.exit(1))

const storage = directory(`${folder}/state`, { files: dieAt === undefined ? nodeFiles : dyingFiles(dieAt) })
const options = { storage, journal: true, atEnd: 'suspend', checkpoints: { intervalMs: 2 } } as const
const numbers = new Subject<number>()
const end = (said: HotNews): void => {
  tell(said)
  process.removeAllListeners('disconnect')
  process.disconnect?.()
}
const observer = {
  next: (result: unknown) => tell({ kind: 'result', result }),
  error: (error: unknown) => end({ kind: 'failed', message: String(error) }),
  complete: () => end({ kind: 'finished' }),
}
if (delivery === 'immediate') numbers.pipe(checkpointed('counting', options, counting)).subscribe(observer)
else numbers.pipe(checkpointed('counting', { ...options, delivery: 'withCheckpoint' }, counting)).subscribe(observer)
for (let number = from; number < from + count; number += 1) {
  numbers.next(number)
  // The loop goes on while the journal is written: numbers come as they do from a socket.
  await new Promise((resolve) => setImmediate(resolve))
}
numbers.complete()
