/**
 * Part of a database of `abstract-level` as a store of keys and values: a step is one batch, and steps follow one another.
 *
 * **Fault model** Of a batch that failed nobody knows whether it is found when the database is opened again: that failure is fatal.
 */
import type { AbstractLevel } from 'abstract-level'
import { BackendError, type ErrorDetails } from '../../lib/errors.js'
import type { Look } from '../../lib/keyValue/indexedKeys.js'
import type { KeyRange, KeyValueReads, KeyValueStore, KeyValueWrites } from '../../lib/ports/keyValueStore.js'
import { levelFailure } from './failures.js'

type Change = { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array } | { readonly type: 'del'; readonly key: Uint8Array }

const utf8 = new TextEncoder()
const binary = { keyEncoding: 'view', valueEncoding: 'view' } as const
/** What databases on a disk take beyond what all of them do. */
const durably = { ...binary, sync: true }

const part = <Format, K, V>(database: AbstractLevel<Format, K, V>, name: string[]) => database.sublevel<Uint8Array, Uint8Array>(name, binary)

/** Steps in one database follow one another, whichever storage they are of. */
const turns = new WeakMap<object, Promise<unknown>>()

export class LevelStore<Format, K, V> implements KeyValueStore {
  private readonly details: ErrorDetails
  /** What all keys of the part begin with, in the database that it is a part of. */
  private readonly prefix: Uint8Array
  private key = new Uint8Array(256)
  private part: ReturnType<typeof part<Format, K, V>> | undefined

  constructor(
    private readonly database: AbstractLevel<Format, K, V>,
    private readonly name: readonly string[],
  ) {
    this.details = { sublevel: name.join('/') }
    this.prefix = utf8.encode(name.map((each) => `!${each}!`).join(''))
  }

  read<A>(work: (at: KeyValueReads) => Promise<A>): Promise<A> {
    return this.inTurn(() => work(this.reads()))
  }

  write<A>(work: (at: KeyValueWrites) => Promise<A>): Promise<A> {
    return this.inTurn(async () => {
      const changes: Change[] = []
      const answer = await work({
        ...this.reads(),
        put: (key, value) => void changes.push({ type: 'put', key: this.prefixed(key), value }),
        remove: (key) => void changes.push({ type: 'del', key: this.prefixed(key) }),
      })
      if (changes.length > 0) await this.commit(changes)
      return answer
    })
  }

  async close(): Promise<void> {
    await turns.get(this.database)
    await this.part?.close()
  }

  /** Looks up a value at once, in a database that can; also behind `close`, as long as the database is open. */
  readonly look: Look = (place) => {
    const { prefix } = this
    const length = prefix.length + place.length
    if (this.key.length < length) this.key = new Uint8Array(2 * length)
    this.key.set(prefix)
    this.key.set(place, prefix.length)
    try {
      // The database takes keys and values as bytes, which its own types do not say.
      return this.database.getSync<Uint8Array, Uint8Array>(this.key.subarray(0, length), binary)
    } catch (error) {
      throw levelFailure(error, this.details)
    }
  }

  private reads(): KeyValueReads {
    const within = ({ from, to }: KeyRange, limit: number) => ({ gte: from, lt: to, limit })
    return {
      get: (keys) => this.open().getMany([...keys]),
      keys: (range, limit) => this.open().keys(within(range, limit)).all(),
      entries: (range, limit) => this.open().iterator(within(range, limit)).all(),
    }
  }

  private async commit(changes: Change[]): Promise<void> {
    try {
      // Past the part, which would only copy each change once more.
      await this.database.batch<Uint8Array, Uint8Array>(changes, durably)
    } catch (error) {
      const { code, details, cause } = levelFailure(error, this.details)
      throw new BackendError(code, { ...details, fatal: true }, { cause })
    }
  }

  private prefixed(key: Uint8Array): Uint8Array {
    const { prefix } = this
    const whole = new Uint8Array(prefix.length + key.length)
    whole.set(prefix)
    whole.set(key, prefix.length)
    return whole
  }

  private open(): ReturnType<typeof part<Format, K, V>> {
    this.part ??= part(this.database, [...this.name])
    return this.part
  }

  private inTurn<A>(work: () => Promise<A>): Promise<A> {
    const turn = (turns.get(this.database) ?? Promise.resolve()).then(work).catch((error: unknown) => {
      throw levelFailure(error, this.details)
    })
    turns.set(
      this.database,
      turn.catch(() => undefined),
    )
    return turn
  }
}
