import { json } from '../../../lib/codec.js'
import type { StateDescriptors } from '../../../lib/state/descriptor.js'
import { listState } from '../../../lib/state/listState.js'
import { mapState } from '../../../lib/state/mapState.js'
import { processUnkeyed } from '../../../operators/processUnkeyed.js'
import { Harness, type Kept } from '../harness.js'
import { type Case, type Fields, Unsupported, unknown } from '../model.js'
import { equalValues, play } from '../play.js'
import { asked } from './watermarkValve.js'

/** State that belongs to an operator and to no key. With one instance, union and broadcast state is what that one keeps. */
export function operatorState(golden: Case): Promise<void> {
  const { names } = golden.config
  if (names === undefined)
    throw new Unsupported('states are declared with their operator, each once: there is nothing to register twice while it runs')
  const words = Object.entries(names as { readonly [name: string]: string })
  const isMap = (kind: string): boolean => kind.startsWith('broadcast map')
  const descriptors: StateDescriptors = Object.fromEntries(
    words.map(([name, kind]) => {
      if (!isMap(kind) && !/^(list|union list)/.test(kind)) throw unknown('operator state', kind)
      return [name, isMap(kind) ? mapState(json<any>(), json<any>()) : listState(json<any>())]
    }),
  )
  let result: unknown
  const harness = new Harness({
    inputs: 1,
    build: ([input]) =>
      (input as any).pipe(
        processUnkeyed(
          'under-test',
          { state: descriptors },
          {
            onRecord(event: Fields, { state }) {
              result = access((state as Fields)[event['state']], event)
            },
          },
        ),
      ),
  })
  const kept = new Map<string, Kept>()
  return play(golden, {
    apply(event) {
      if (event['op'] === 'snapshot') kept.set(event['ref'], harness.snapshot())
      else if (event['op'] === 'restore') harness.restore(kept.get(event['from']) as Kept)
      else harness.record(event, undefined)
    },
    answer(expected) {
      if (expected['kind'] === 'value') {
        equalValues(`step ${expected['after']}`, 'exact', expected['value'], result)
        return {}
      }
      if (expected['kind'] !== 'assert') return undefined
      const maps = words.filter(([, kind]) => isMap(kind)).length
      return asked(expected, { registeredListStates: words.length - maps, registeredBroadcastStates: maps })
    },
    close: () => harness.close(),
  })
}

function access(handle: any, event: Fields): unknown {
  if (handle === undefined) throw unknown('state', event['state'])
  switch (event['op']) {
    case 'add':
      return handle.add(event['value'])
    case 'addAll':
      return handle.addAll(event['value'])
    case 'update':
      return handle.update(event['value'])
    case 'clear':
      return handle.clear()
    case 'put':
      return handle.put(event['k'], event['v'])
    case 'remove':
      return handle.remove(event['k'])
    case 'mapGet':
      return handle.get(event['k'])
    case 'get':
      return [...handle]
    case 'entries':
      return [...handle.entries()]
    default:
      throw unknown('operation of operator state', event['op'])
  }
}
