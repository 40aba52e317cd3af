import { json } from '../../../lib/codec.js'
import type { Key } from '../../../lib/key.js'
import { KeyedOperatorState } from '../../../lib/keyedOperator.js'
import type { MachineContext } from '../../../lib/machine.js'
import { operate } from '../../../lib/operate.js'
import { aggregatingState } from '../../../lib/state/aggregatingState.js'
import type { StateDescriptor, StateDescriptors } from '../../../lib/state/descriptor.js'
import { listState } from '../../../lib/state/listState.js'
import { mapState } from '../../../lib/state/mapState.js'
import { reducingState } from '../../../lib/state/reducingState.js'
import type { Row } from '../../../lib/state/row.js'
import type { RowStore } from '../../../lib/state/rowStore.js'
import type { KeptState } from '../../../lib/state/stateHost.js'
import type { Ttl } from '../../../lib/state/ttl.js'
import { valueState } from '../../../lib/state/valueState.js'
import { keyBy } from '../../../operators/keyBy.js'
import { Harness, type Kept } from '../harness.js'
import { type Case, type Fields, plainValue, text, Unsupported, unknown } from '../model.js'
import { equal, equalValues, play } from '../play.js'

type Reduce = (a: any, b: any) => any

const reduces: { readonly [name: string]: Reduce } = {
  sum: (a, b) => a + b,
  "a + ',' + b": (a, b) => `${a},${b}`,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
}

function ttlOf(config: Fields | undefined): Ttl | undefined {
  if (config === undefined) return undefined
  const { ttl, updateType = 'OnCreateAndWrite', visibility = 'NeverReturnExpired', cleanup = 'none in background' } = config
  const refresh = { OnCreateAndWrite: 'onWrite', OnReadAndWrite: 'onReadAndWrite' } as const
  const expired = { NeverReturnExpired: 'hidden', ReturnExpiredIfNotCleanedUp: 'untilRemoved' } as const
  if (updateType === 'Disabled') return undefined
  if (!(updateType in refresh)) throw unknown('update type', updateType)
  if (!(visibility in expired)) throw unknown('visibility', visibility)
  const inBackground = cleanup !== 'none in background'
  return {
    afterMs: ttl,
    refresh: refresh[updateType as 'OnCreateAndWrite'],
    expired: expired[visibility as 'NeverReturnExpired'],
    cleanup: inBackground ? 'index' : 'onRead',
  }
}

/** Makes the descriptor of a state of a case. */
export function descriptorOf(state: Fields, ttlConfig?: Fields): StateDescriptor {
  const ttl = ttlOf(ttlConfig)
  const options = ttl === undefined ? {} : { ttl }
  switch (state['kind']) {
    case 'value': {
      // Where null stands for no default there is none.
      const initial = state['default'] ?? undefined
      return valueState(json<unknown>(), { ...options, ...(initial === undefined ? {} : { initial }) } as never)
    }
    case 'list':
      return listState(json<unknown>(), options)
    case 'map':
      return mapState(json<unknown>(), json<unknown>(), options)
    case 'reducing': {
      const reduce = reduces[state['reduce']]
      if (reduce === undefined) throw unknown('reduce function', state['reduce'])
      return reducingState(json<unknown>(), reduce, options)
    }
    case 'aggregating': {
      const found = /^accumulator starts at (-?\d+), add adds, result = (String\(accumulator\)|accumulator)(?:, merge adds)?$/.exec(
        String(state['aggregate']),
      )
      if (found === null) throw unknown('aggregate function', state['aggregate'])
      const start = Number(found[1])
      const asText = found[2] !== 'accumulator'
      return aggregatingState(
        json<number>(),
        {
          create: () => start,
          add: (a: number, v: number) => a + v,
          merge: (a: number, b: number) => a + b,
          result: (a: number) => (asText ? String(a) : a),
        },
        options,
      )
    }
    default:
      throw unknown('kind of state', state['kind'])
  }
}

/** An operator that has nothing but named states, which the case reads and writes. */
class StateUnderTest {
  state!: KeyedOperatorState<StateDescriptors>
  /** The tables of the states, without those of timers. */
  tables: RowStore<unknown>[] = []
  readonly harness: Harness

  constructor(
    public descriptors: StateDescriptors,
    readonly namespaced: boolean,
  ) {
    this.harness = new Harness({
      inputs: 1,
      build: ([input]) =>
        operate<unknown, unknown>({
          name: 'state',
          uid: 'state',
          keyed: true,
          create: (context) => this.create(context as never),
        })((input as any).pipe(keyBy(() => 'key'))) as never,
    })
  }

  rowsOf(name: string): Row[] {
    return this.tables.filter((table) => table.options.state === name).flatMap((table) => [...table.rows()])
  }

  /** Cells of all keys and namespaces: a list or a map is one. */
  get entries(): number {
    const rows = this.tables.flatMap((table) => [...table.rows()].map((row) => text([table.options.state, row.key, row.namespace])))
    return new Set(rows).size
  }

  private create(context: MachineContext<never>) {
    const tables: RowStore<unknown>[] = []
    const seen: MachineContext<never> = {
      ...context,
      rows: (options) => kept(context.rows(options)),
      entries: (options) => kept(context.entries(options)),
    }
    const kept = <T>(table: T): T => {
      tables.push(table as RowStore<unknown>)
      return table
    }
    this.state = new KeyedOperatorState(seen, this.descriptors, () => {}, { namespaced: this.namespaced })
    this.tables = tables.filter(({ options }) => options.state !== 'timer')
    return { open: () => this.state.open(), processRecord() {} }
  }
}

export async function keyedState(golden: Case): Promise<void> {
  if (golden.input.some(({ op }) => op === 'procedure')) return procedure(golden)
  const { state, states = {}, ttl } = golden.config
  const configs: { readonly [alias: string]: Fields } = state === undefined ? states : { state, ...states }
  const nameOf = (alias: string): string => configs[alias]?.['name'] ?? alias
  const descriptors = Object.fromEntries(
    Object.entries(configs).map(([alias, config]) => [nameOf(alias), descriptorOf(config, config['ttl'] ?? ttl)]),
  )
  const namespaced = golden.input.some(({ op, ns }) => op === 'namespace' || op === 'mergeNamespaces' || ns !== undefined)
  const under = new StateUnderTest(descriptors, namespaced)
  const { harness } = under
  const kept = new Map<string, Kept>()
  const results = new Map<number, unknown>()
  let key: Key | undefined
  let namespace: Key | undefined

  const handleOf = (event: Fields): any => {
    const name = nameOf(event['state'] ?? Object.keys(configs)[0])
    const handle = (under.state.handles as Fields)[name]
    if (handle === undefined) throw unknown('state', event['state'])
    return handle
  }
  const kindOf = (event: Fields): string => configs[event['state'] ?? (Object.keys(configs)[0] as string)]?.['kind']

  function apply(event: Fields): unknown {
    const { op } = event
    if (key !== undefined) under.state.enter(key, undefined)
    under.state.scope.namespace = namespace
    switch (op) {
      case 'get': {
        const handle = handleOf(event)
        if (kindOf(event) === 'value') return handle.value()
        return kindOf(event) === 'reducing' || kindOf(event) === 'aggregating' ? handle.get() : [...handle]
      }
      case 'update':
        // In another language null stands for absence.
        return void handleOf(event).update(kindOf(event) === 'value' ? (plainValue(event['value']) ?? undefined) : event['value'])
      case 'add':
        return void handleOf(event).add(plainValue(event['value']))
      case 'addAll':
        return void handleOf(event).addAll(event['value'])
      case 'put':
        return void handleOf(event).put(event['k'], event['v'])
      case 'putAll':
        return void handleOf(event).putAll(event['entries'] ?? event['value'])
      case 'remove':
        return void handleOf(event).remove(event['k'])
      case 'clear':
        return void handleOf(event).clear()
      case 'mapGet':
        return handleOf(event).get(event['k'])
      case 'contains':
        return handleOf(event).has(event['k'])
      case 'entries':
        return [...handleOf(event).entries()]
      case 'keys':
        return [...handleOf(event).keys()]
      case 'values':
        return [...handleOf(event).values()]
      case 'isEmpty':
        return handleOf(event).size === 0
      case 'countEntries':
        return under.entries
      case 'rawIsEmpty': {
        const rows = under.rowsOf(nameOf(event['state'] ?? Object.keys(configs)[0]))
        return !rows.some((row) => row.key === key && (!namespaced || namespace === undefined || row.namespace === namespace))
      }
      case 'mergeNamespaces':
        return void (handleOf(event) as KeptState).mergeInto?.(event['target'], event['sources'])
      case 'getKeys': {
        under.state.scope.namespace = event['ns'] ?? namespace
        return [...(handleOf(event) as KeptState).keysWithState()]
      }
      case 'applyToAllKeys': {
        const seen: { [name: string]: unknown } = {}
        const name = nameOf(event['state'] ?? Object.keys(configs)[0])
        under.state.forEachKey(under.descriptors[name] as StateDescriptor, (at, handle) => {
          seen[String(at)] = kindOf(event) === 'value' ? (handle as any).value() : [...(handle as any)]
        })
        return seen
      }
      default:
        throw unknown('operation of keyed state', op)
    }
  }

  await play(golden, {
    apply(event, index) {
      switch (event['op']) {
        case 'key':
          key = plainValue(event['key']) as Key
          return
        case 'namespace':
          namespace = event['ns']
          return
        case 'time':
          return harness.processingTime(event['to'])
        case 'snapshot':
          return void kept.set(event['ref'], harness.snapshot())
        case 'registerWithoutTtl':
        case 'registerWithTtl':
          throw new Unsupported('expiry may be switched on and off, as in Flink 2.2')
        case 'restore': {
          if (event['keyType'] !== undefined)
            throw new Unsupported('keys have one stored text, in which whole numbers are numbers: no serializer of them can be incompatible')
          const from = kept.get(event['from'])
          if (from === undefined) throw unknown('snapshot', event['from'])
          return harness.restore(from)
        }
        default:
          return harness.call(() => void results.set(index, apply(event)))
      }
    },
    answer(expected) {
      if (expected['kind'] !== 'value') return undefined
      const { after, value } = expected
      const compare = golden.config['compare']
      equalValues(`step ${after} ${text(golden.input[after])}`, compare === undefined ? 'exact' : compare, value, results.get(after))
      return {}
    },
    close: () => harness.close(),
  })
}

/** Cases that are told in words. */
function procedure(golden: Case): void {
  const doc = String(golden.input[0]?.['doc'])
  const cleanup = /^t=0: write N keys; t=(\d+) \(all expired\): call setCurrentKey once for each of the N keys, without touching the state$/.exec(doc)
  if (cleanup === null) throw unknown('procedure', doc)
  const [property] = golden.expected
  if (golden.expected.length !== 1 || !/^afterwards every key's raw state is physically removed \(.*by 5 entries\)$/.test(property?.['doc']))
    throw unknown('property', golden.expected)
  const under = new StateUnderTest({ state: descriptorOf(golden.config['state'], golden.config['ttl']) }, false)
  const count = 50
  const each = (work: (key: string) => void): void => {
    for (let index = 0; index < count; index++) under.harness.call(() => work(`key${index}`))
  }
  each((key) => {
    under.state.enter(key, undefined)
    ;(under.state.handles['state'] as any).update(1)
  })
  equal('rows before', count, under.rowsOf('state').length)
  under.harness.processingTime(Number(cleanup[1]))
  each((key) => under.state.enter(key, undefined))
  equal('rows left', 0, under.rowsOf('state').length)
}
