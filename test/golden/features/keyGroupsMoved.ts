import { json } from '../../../lib/codec.js'
import { keyGroupOf, keyGroupRange, operatorIndexOf } from '../../../lib/keyGroup.js'
import type { StateDescriptors } from '../../../lib/state/descriptor.js'
import { valueState } from '../../../lib/state/valueState.js'
import { keyBy } from '../../../operators/keyBy.js'
import { processKeyed } from '../../../operators/processKeyed.js'
import { RunningInstance, SharedInputs } from '../instances.js'
import { type Case, knownOptions, unknown } from '../model.js'
import { equal } from '../play.js'

const procedure =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the words of the cases.
  'for every key group j pick one key of that group, register a ValueState named state<j> on the subtask owning j, write `${subtask}:${j}`; snapshot every source subtask; give each target subtask the snapshots that intersect its range; restore'
const property =
  'every target subtask reads, for each key group j in its range, exactly the value written by the source; no other key group is visible'

/** What is told to the instance that has the key. */
interface Command {
  readonly key: string
  readonly group: number
  readonly write: boolean
}

/**
 * Keyed state, where a job goes on in another number of instances. Which key groups an instance has is the same before and after, by one
 * formula; the ranges of the old subtasks that some cases name are those of their test.
 */
export async function keyGroupsMoved(golden: Case): Promise<void> {
  knownOptions(golden, ['maxParallelism', 'sourceParallelism', 'targetParallelism', 'sourceRanges', 'targetRanges'])
  const { maxParallelism, sourceParallelism, targetParallelism } = golden.config
  if (golden.input.length !== 1 || golden.input[0]?.['doc'] !== procedure) throw unknown('procedure', golden.input)
  if (golden.expected.length !== 1 || golden.expected[0]?.['kind'] !== 'property' || golden.expected[0]['doc'] !== property)
    throw unknown('property', golden.expected)
  const groups = Array.from({ length: maxParallelism as number }, (_, group) => group)
  const keys = keyOfEach(maxParallelism)
  const inputs = new SharedInputs(1)
  /** All read the same; each has the keys that are its own. */
  const begin = (index: number, of: number, from?: ConstructorParameters<typeof RunningInstance>[0]['from']): RunningInstance =>
    new RunningInstance({
      name: 0,
      instance: { index, of },
      maxParallelism,
      inputs,
      ...(from === undefined ? {} : { from }),
      build: ([input]) =>
        (input as any).pipe(
          keyBy(({ key }: Command) => key),
          processKeyed('under-test', { state: statesOf(groups) }, {
            onRecord({ group, write }: Command, { state, emit }: any) {
              const handle = state[`state${group}`]
              if (write) handle.update(`${index}:${group}`)
              emit([group, handle.value()])
            },
          } as never),
        ),
    })
  const tell = (write: boolean): void => {
    for (const group of groups) inputs.push(0, 0, { op: 'element', value: { key: keys[group], group, write } })
  }
  const seenBy = ({ emitted }: RunningInstance): unknown[] => emitted.flatMap(({ kind, value }) => (kind === 'record' ? [value] : []))

  tell(true)
  const written: string[] = []
  const from = []
  for (let index = 0; index < sourceParallelism; index++) {
    const source = begin(index, sourceParallelism)
    await source.settled()
    for (const [group, value] of seenBy(source) as [number, string][]) written[group] = value
    from.push(await source.stopped())
  }
  equal(
    'what was written, by key group',
    groups.map((group) => `${operatorIndexOf(group, sourceParallelism, maxParallelism)}:${group}`),
    groups.map((group) => written[group]),
  )

  tell(false)
  for (let index = 0; index < targetParallelism; index++) {
    const target = begin(index, targetParallelism, from)
    try {
      await target.settled()
      const { first, last } = keyGroupRange(index, targetParallelism, maxParallelism)
      const own = groups.slice(first, last + 1).map((group) => [group, written[group]])
      equal(`what subtask ${index} reads`, own, seenBy(target))
      equal(`how many rows subtask ${index} has`, own.length, target.restoredRows)
    } finally {
      target.close()
    }
  }
}

const statesOf = (groups: readonly number[]): StateDescriptors =>
  Object.fromEntries(groups.map((group) => [`state${group}`, valueState(json<string>())]))

/** A key of each group, by group. */
function keyOfEach(maxParallelism: number): readonly string[] {
  const keys: string[] = []
  for (let n = 0, missing = maxParallelism; missing > 0; n++) {
    const group = keyGroupOf(`key${n}`, maxParallelism)
    if (keys[group] !== undefined) continue
    keys[group] = `key${n}`
    missing -= 1
  }
  return keys
}
