import { Subject } from 'rxjs'
import { type AnyStream, checkpointed, emits, json, keyBy, processKeyed, type Stream, type Ttl, valueState } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import * as durable from 'rxweir/durable'
import { CountedClock } from './countedClock.js'

interface Of {
  /** Undefined: nothing expires. */
  readonly ttl: { readonly afterMs: number } | undefined
}

const named = (n: number): string => `key-${n}`
const options = ({ ttl }: Of): { readonly ttl?: Ttl } => (ttl === undefined ? {} : { ttl })

/** What keeps something of each key. */
export const operators: { readonly [name: string]: (of: Of) => (keys: Stream<number>) => AnyStream<unknown> } = {
  processKeyed: (of) => (keys) =>
    keys.pipe(
      keyBy(named),
      processKeyed(
        'kept',
        { state: { count: valueState(json<number>(), options(of)) }, emits: emits<number>() },
        {
          onRecord(_n, { state: { count }, emit }) {
            const next = (count.value() ?? 0) + 1
            count.update(next)
            emit(next)
          },
        },
      ),
    ),
  'durable.scan': (of) => (keys) =>
    keys.pipe(
      keyBy(named),
      durable.scan('kept', options(of), (sum: number, n: number) => sum + n, 0),
    ),
  'durable.distinct': (of) => (keys) => keys.pipe(durable.distinct('kept', options(of), named)),
  'id of checkpointed': () => (keys) => keys,
}

const keysPerTurn = 1_000
const samples = 20

export interface OneTimeKeys {
  readonly operator: string
  readonly keys: number
  /** So many keys later one has expired; null for never. */
  readonly keptKeys: number | null
  readonly folder: string
  /** The heap in use, after a collection. */
  readonly heapBytes: () => number
}

/** Lets keys come once each, with a checkpoint every so many; answers by how much the heap grew at most. */
export async function oneTimeKeys({ operator, keys, keptKeys, folder, heapBytes }: OneTimeKeys): Promise<number> {
  const make = operators[operator]
  if (make === undefined) throw new RangeError(`no operator is named ${operator}`)
  const clock = new CountedClock()
  const values = new Subject<number>()
  const byId = operator === 'id of checkpointed' ? { id: named, idKeptMs: keptKeys ?? Number.POSITIVE_INFINITY } : {}
  const kept = checkpointed(
    'one-time-keys',
    { storage: directory(folder), checkpoints: { intervalMs: 10_000 }, clock, ...byId },
    make({ ttl: keptKeys === null ? undefined : { afterMs: keptKeys } }),
  )
  const before = heapBytes()
  let most = 0
  let came = 0
  await new Promise<void>((resolve, reject) => {
    const running = values.pipe(kept).subscribe({
      next() {
        came += 1
        if (came % Math.ceil(keys / samples) === 0) most = Math.max(most, heapBytes() - before)
        if (came % keysPerTurn === 0) setImmediate(turn)
      },
      error: reject,
    })
    let next = 0
    // The next ones come when these are through: what is measured is what is kept, and not what waits.
    const turn = (): void => {
      if (next >= keys) {
        running.unsubscribe()
        return resolve()
      }
      clock.pass(keysPerTurn)
      for (const end = next + keysPerTurn; next < end; next += 1) values.next(next)
    }
    turn()
  })
  return most
}
