/** A job in a page: says of each number the how manieth of its kind it is, and posts that. */
import { option as O, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { BackendError, defineJob, keyBy, type ReplayableSource, statefulMap } from 'rxweir'
import { webhookSink } from 'rxweir/backends/http'
import { indexeddb } from 'rxweir/backends/indexeddb'
import { sealingKey } from '../../support/sealingKeys.js'
import { say } from './say.js'

const asked = new URLSearchParams(location.search)
const count = Number(asked.get('count'))
const otherTabMs = Number(asked.get('otherTabMs'))
/** From this number on it waits: so a page cannot be done before it is killed. */
const waitAt = Number(asked.get('waitAt') ?? Number.POSITIVE_INFINITY)
const kinds = 7
/** The number of the key with which it seals what it stores, if it does. */
const key = asked.get('key')
const sealing = key === null ? {} : ({ encryption: { keys: { k: sealingKey(Number(key)) }, current: 'k' }, compression: 'zlib' } as const)

/** Numbers in small batches, with pauses in between, so that a browser can be killed in the middle of them. */
const numbers: ReplayableSource<number> = {
  offsets: 'replayable',
  open: ({ from }) => {
    const start = O.isSome(from) ? Number(from.value) : 0
    let next = start
    return TE.right({
      start,
      read: () => async () => {
        await new Promise((resolve) => setTimeout(resolve, next < waitAt ? 4 : 2 ** 31 - 1))
        const first = next
        next = Math.min(count, first + 5)
        if (first === next) return await TE.right({ kind: 'end' as const })()
        const values = Array.from({ length: next - first }, (_, index) => first + index)
        return await TE.right({ kind: 'batch' as const, batch: { values, offsetAfter: (index: number) => first + index + 1 } })()
      },
      close: () => async () => undefined,
    })
  },
}

const job = defineJob('counting', { storage: indexeddb({ otherTabMs, ...sealing }), checkpoints: { intervalMs: 20 } }, ({ source, sink }) =>
  source('numbers', numbers).pipe(
    keyBy((number) => number % kinds),
    statefulMap('count', { state: t.number, initial: 0 }, (before, number: number) => [before + 1, `${number}: ${before + 1}`]),
    sink('counts', webhookSink({ url: new URL('/counts', location.href), batchMax: 50 })),
  ),
)

const toldOf = (error: unknown): string => {
  if (!(error instanceof BackendError)) return `failed: ${error}`
  return error.code === 'BACKEND_IN_USE' ? 'in use' : `refused: ${error.code}`
}

job.run().done.then(
  () => say('done'),
  (error: unknown) => say(toldOf(error)),
)
