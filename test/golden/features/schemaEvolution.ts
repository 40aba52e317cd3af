import { type Codec, codec } from '../../../lib/codec.js'
import { RestoreError } from '../../../lib/errors.js'
import { aggregatingState } from '../../../lib/state/aggregatingState.js'
import type { StateDescriptor } from '../../../lib/state/descriptor.js'
import { listState } from '../../../lib/state/listState.js'
import { mapState } from '../../../lib/state/mapState.js'
import { reducingState } from '../../../lib/state/reducingState.js'
import { valueState } from '../../../lib/state/valueState.js'
import { connectBroadcast } from '../../../operators/connectBroadcast.js'
import { keyBy } from '../../../operators/keyBy.js'
import { processKeyed } from '../../../operators/processKeyed.js'
import { processUnkeyed } from '../../../operators/processUnkeyed.js'
import { type Elements, Harness } from '../harness.js'
import { type Case, type Fields, Unsupported, unknown } from '../model.js'
import { equal } from '../play.js'

const day = 86_400_000
const sum = { create: () => 0, add: (a: number, b: number) => a + b, merge: (a: number, b: number) => a + b, result: (a: number) => a }

/** A kind of state: how it is described with a codec, written and read. */
interface Kind {
  describe(of: Codec<number>, options: Fields, keys: Codec<string>): StateDescriptor
  write(handle: any): void
  read(handle: any): unknown
}

const value: Kind = {
  describe: (of, options) => valueState(of, options as never) as StateDescriptor,
  write: (handle) => handle.update(7),
  read: (handle) => handle.value(),
}
const list: Kind = { describe: (of, options) => listState(of, options), write: (handle) => handle.add(7), read: (handle) => [...handle][0] }
const map: Kind = {
  describe: (of, options, keys) => mapState(keys, of, options),
  write: (handle) => handle.put('k', 7),
  read: (handle) => handle.get('k'),
}
const reducing: Kind = {
  describe: (of, options) => reducingState(of, (a: number, b: number) => a + b, options),
  write: (handle) => handle.add(7),
  read: (handle) => handle.get(),
}
const aggregating: Kind = {
  describe: (of, options) => aggregatingState(of, sum, options),
  write: (handle) => handle.add(7),
  read: (handle) => handle.get(),
}

type Build = (input: readonly Elements[], kind: Kind, descriptor: StateDescriptor) => Elements

const act = (kind: Kind, command: unknown, handle: any, emit: (value: unknown) => void): void => {
  if (command === 'write') kind.write(handle)
  else emit(kind.read(handle))
}
const onKeys: Build = ([input], kind, state) =>
  (input as any).pipe(
    keyBy(() => 'key'),
    processKeyed(
      'under-test',
      { state: { state } },
      { onRecord: (command: unknown, context: any) => act(kind, command, context.state.state, context.emit) },
    ),
  )
const onOperator: Build = ([input], kind, state) =>
  (input as any).pipe(
    processUnkeyed(
      'under-test',
      { state: { state } },
      { onRecord: (command: unknown, context: any) => act(kind, command, context.state.state, context.emit) },
    ),
  )
const onBroadcast: Build = ([input, rules], kind, state) =>
  (input as any).pipe(
    keyBy(() => 'key'),
    connectBroadcast('under-test', rules as any, { broadcast: { state } }, {
      onRecord() {},
      onBroadcast: (command: unknown, context: any) => act(kind, command, context.broadcast.state, context.emit),
    } as never),
  )

const kinds: { readonly [state: string]: readonly [Kind, Build] | undefined } = {
  'keyed value': [value, onKeys],
  'keyed list': [list, onKeys],
  'keyed map': [map, onKeys],
  'keyed reducing': [reducing, onKeys],
  'keyed aggregating': [aggregating, onKeys],
  'operator list': [list, onOperator],
  // With one instance, all that was kept by all is what one kept.
  'operator union list': [list, onOperator],
  broadcast: [map, onBroadcast],
}

/** The codec of before, and those of after: as they relate to it. */
const before = codec<number>({ encode: (n) => n, decode: (stored) => stored as number })
const decodeText = (stored: unknown): number => Number(/^n=(.*)$/.exec(stored as string)?.[1])
const after: { readonly [compatibility: string]: Codec<number> | undefined } = {
  AS_IS: before,
  WITH_RECONFIGURED_SERIALIZER: codec<number>({
    encode: (n) => `n=${n}`,
    decode: (stored) => (typeof stored === 'number' ? stored : decodeText(stored)),
  }),
  AFTER_MIGRATION: codec<number>({ version: 2, encode: (n) => `n=${n}`, decode: decodeText, migrations: { 1: (stored) => `n=${stored as number}` } }),
  INCOMPATIBLE: codec<number>({ version: 2, encode: (n) => `n=${n}`, decode: decodeText }),
}

/** The same for the keys of a map. */
const plainKeys = codec<string>({ encode: (key) => key, decode: String })
const keysAfter: { readonly [compatibility: string]: Codec<string> | undefined } = {
  WITH_RECONFIGURED_SERIALIZER: codec<string>({ encode: (key) => `key ${key}`, decode: (stored) => String(stored).replace(/^key /, '') }),
  AFTER_MIGRATION: codec<string>({
    version: 2,
    encode: (key) => [key],
    decode: (stored) => (stored as readonly [string])[0],
    migrations: { 1: (stored) => [stored] },
  }),
}

/** State that an older form of the program wrote, read by a newer one. */
export function schemaEvolution(golden: Case): void {
  const { state, changed, serializerCompatibility } = golden.config
  if (state === undefined) throw new Unsupported('fields of classes are no business of state here: a codec says what a state looks like')
  if (/^TTL (off -> on|on -> off)/.test(changed)) throw new Unsupported('expiry may be switched on and off, as in Flink 2.2')
  const [kind, build] = kinds[state] ?? []
  const nextKeys = changed === 'key' && kind === map ? keysAfter[serializerCompatibility] : plainKeys
  if ((changed === 'key' && kind !== map) || nextKeys === undefined || changed === 'namespace' || String(state).startsWith('timers'))
    throw new Unsupported('keys, also those of maps, windows and timers, have one stored text: no serializer of them can be incompatible')
  if (kind === undefined || build === undefined) throw unknown('state', state)
  const duration = /^TTL 1 day -> other duration/.test(changed)
  const next = duration ? after['AFTER_MIGRATION'] : changed === 'key' ? before : after[serializerCompatibility]
  if (next === undefined) throw unknown('compatibility', serializerCompatibility)
  let descriptor = kind.describe(before, duration ? { ttl: { afterMs: day } } : {}, plainKeys)
  const harness = new Harness({ inputs: build === onBroadcast ? 2 : 1, build: (inputs) => build(inputs, kind, descriptor) })
  const input = build === onBroadcast ? 1 : 0
  let outcome = 'ok'
  try {
    harness.record('write', undefined, input)
    const kept = harness.snapshot()
    descriptor = kind.describe(next, duration ? { ttl: { afterMs: 2 * day } } : {}, nextKeys)
    harness.restore(kept)
    harness.record('read', undefined, input)
    equal(
      'what was read',
      [7],
      harness.takeEmitted().map((each) => each['value']),
    )
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error
    outcome = 'StateMigrationException'
  } finally {
    harness.close()
  }
  for (const expected of golden.expected) equal('the outcome', expected['outcome'], outcome)
}
