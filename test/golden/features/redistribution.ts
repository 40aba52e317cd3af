import { json } from '../../../lib/codec.js'
import type { StateDescriptors } from '../../../lib/state/descriptor.js'
import { listState, unionListState } from '../../../lib/state/listState.js'
import { mapState } from '../../../lib/state/mapState.js'
import { connectBroadcast } from '../../../operators/connectBroadcast.js'
import { keyBy } from '../../../operators/keyBy.js'
import { processUnkeyed } from '../../../operators/processUnkeyed.js'
import { union } from '../../../operators/union.js'
import type { Elements } from '../harness.js'
import { RunningInstance, SharedInputs } from '../instances.js'
import { type Case, type Fields, knownOptions, Mismatch, text, unknown } from '../model.js'
import { canonical, equal } from '../play.js'

/** What an instance is told: to keep an element, or to tell what it has. */
interface Command {
  readonly state?: string
  readonly element?: unknown
}

interface Told {
  readonly state: string
  readonly elements: readonly unknown[]
}

const data = 0
const rules = 1

/** State of an operator that belongs to no key, where a job goes on in another number of instances. */
export async function redistribution(golden: Case): Promise<void> {
  knownOptions(golden, ['modes', 'oldParallelism', 'newParallelism'])
  if (golden.order !== 'multiset per subtask, exact placement') throw unknown('order', golden.order)
  const { modes, oldParallelism, newParallelism } = golden.config
  const inputs = new SharedInputs(2)
  const begin = (index: number, of: number, from?: ConstructorParameters<typeof RunningInstance>[0]['from']): RunningInstance =>
    new RunningInstance({
      name: from === undefined ? index : oldParallelism + index,
      instance: { index, of },
      maxParallelism: 128,
      inputs,
      ...(from === undefined ? {} : { from }),
      build: (streams, ownKey) => keeping(modes, streams, ownKey),
    })
  const tell = (name: number, value: Command): void => {
    const isRule = value.state !== undefined && modes[value.state] === 'BROADCAST'
    inputs.push(isRule ? rules : data, name, { op: 'element', value })
  }

  const before = Array.from({ length: oldParallelism }, (_, index) => begin(index, oldParallelism))
  for (const { subtask, state } of golden.input) {
    for (const [name, elements] of Object.entries(state as { readonly [name: string]: readonly unknown[] }))
      for (const element of elements) tell(subtask, { state: name, element })
  }
  // Only when all have read all of it are their savepoints one cut.
  for (const instance of before) await instance.settled()
  const from = []
  for (const instance of before) from.push(await instance.stopped())

  const expected = new Map(golden.expected.map((each) => [each['subtask'] as number, each['state'] as Fields]))
  if (golden.expected.length !== newParallelism) throw unknown('expectation', golden.expected)
  for (let index = 0; index < newParallelism; index++) {
    const owed = expected.get(index)
    if (owed === undefined) throw unknown('expectation, it leaves a subtask out', index)
    const instance = begin(index, newParallelism, from)
    try {
      tell(oldParallelism + index, {})
      await instance.settled()
      equal(`subtask ${index}`, multisets(owed), multisets(toldBy(instance, Object.keys(modes))))
    } finally {
      instance.close()
    }
  }
}

/** Keeps in lists what belongs to one instance, and in broadcast state what all have. */
function keeping(modes: { readonly [name: string]: string }, [records, broadcast]: readonly Elements[], ownKey: string): Elements {
  const lists: { [name: string]: StateDescriptors[string] } = {}
  const maps: { [name: string]: StateDescriptors[string] } = {}
  for (const [name, mode] of Object.entries(modes)) {
    if (mode === 'SPLIT_DISTRIBUTE') lists[name] = listState(json<any>())
    else if (mode === 'UNION') lists[name] = unionListState(json<any>())
    else if (mode === 'BROADCAST') maps[name] = mapState(json<any>(), json<any>())
    else throw unknown('mode of an operator state', mode)
  }
  const keyed = (records as any).pipe(keyBy(() => ownKey))
  const inLists = keyed.pipe(
    processUnkeyed('lists', { state: lists }, {
      onRecord({ state, element }: Command, { state: handles, emit }: any) {
        if (state !== undefined) handles[state].add(element)
        else for (const name of Object.keys(lists)) emit({ state: name, elements: [...handles[name]] } satisfies Told)
      },
    } as never),
  )
  const inMaps = keyed.pipe(
    connectBroadcast('maps', broadcast as any, { broadcast: maps }, {
      onRecord({ state }: Command, { broadcast: handles, emit }: any) {
        if (state !== undefined) return
        for (const name of Object.keys(maps)) emit({ state: name, elements: [...handles[name].keys()] } satisfies Told)
      },
      onBroadcast({ state, element }: Command, { broadcast: handles }: any) {
        handles[state as string].put(element, true)
      },
    } as never),
  )
  return inLists.pipe(union(inMaps))
}

function toldBy({ emitted }: RunningInstance, names: readonly string[]): Fields {
  const told = emitted.flatMap(({ kind, value }) => (kind === 'record' ? [value as Told] : []))
  if (told.length !== names.length) throw new Mismatch(`it told of ${text(told)}, and was to tell of ${text(names)}`)
  return Object.fromEntries(told.map(({ state, elements }) => [state, elements]))
}

/** A state without elements is as good as none. */
const multisets = (states: Fields): Fields =>
  Object.fromEntries(
    Object.entries(states).flatMap(([name, elements]) =>
      elements.length === 0 ? [] : [[name, [...elements].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))]],
    ),
  )
