import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { RunningInstance, SharedInputs } from './instances.js'
import { type Case, type Fields, unknown } from './model.js'
import { play } from './play.js'
import type { Streaming } from './streaming.js'

/**
 * Feeds a case to instances of a job, of which the later ones go on from the savepoints of the earlier ones: in another number of them.
 *
 * Where a case does not name its instances, each restore begins the next.
 */
export function rescaled(golden: Case, under: Streaming): Promise<void> {
  const { before, after } = parallelism(golden.config['restore'])
  const { maxParallelism = 128 } = golden.config
  const isNamed = golden.input.some(({ inst }) => inst !== undefined)
  const inputs = new SharedInputs(under.inputs)
  const running = new Map<number, RunningInstance>()
  const savepoints = new Map<number, CheckpointStorage>()
  let keptMs = 0
  let current = 0
  let named = 0

  const begin = (name: number): RunningInstance => {
    const isOld = name < before
    const instance = new RunningInstance({
      name,
      instance: isOld ? { index: name, of: before } : { index: name - before, of: after },
      maxParallelism,
      inputs,
      ...(isOld ? {} : { from: [...savepoints.values()], startMs: keptMs }),
      build: (streams, ownKey) => under.build(streams, ownKey),
    })
    running.set(name, instance)
    return instance
  }
  const there = (name: number): RunningInstance => {
    const found = running.get(name) ?? (name < before ? begin(name) : undefined)
    if (found === undefined) throw unknown('instance, it was not restored', name)
    return found
  }
  const feed = (event: Fields): Promise<void> => {
    const instance = there(named)
    inputs.push((event['input'] ?? 1) - 1, named, event)
    return instance.settled()
  }

  return play(golden, {
    async apply(event) {
      named = event['inst'] ?? current
      switch (event['op']) {
        case 'element':
        case 'watermark':
        case 'status':
          return feed(event)
        case 'processingTime':
          return there(named).processingTime(event['to'])
        case 'snapshot': {
          const instance = there(named)
          savepoints.set(named, await instance.savepoint())
          keptMs = instance.nowMs
          return
        }
        case 'restore':
          if (event['from'] !== 'derived') throw unknown('snapshot of several instances', event['from'])
          if (!isNamed) {
            running.get(current)?.close()
            current = Math.max(current + 1, before)
            named = current
          }
          return begin(named).settled()
        case 'open':
          return there(named).settled()
        case 'close':
          return running.get(named)?.close()
        default:
          throw unknown('operation of instances', event['op'])
      }
    },
    take: () => (running.get(named)?.emitted.splice(0) ?? []).map((each) => (isNamed ? { ...each, inst: named } : each)),
    close() {
      for (const instance of running.values()) instance.close()
    },
  })
}

/** `2 -> 3 subtasks`, and perhaps what else is to be said about them. */
function parallelism(restore: unknown): { readonly before: number; readonly after: number } {
  const found = /^(\d+) -> (\d+) subtasks/.exec(String(restore))
  if (found === null) throw unknown('way to go on in another number of instances', restore)
  return { before: Number(found[1]), after: Number(found[2]) }
}
