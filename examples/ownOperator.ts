/**
 * Makes an operator of one's own: one that puts records together in groups of a size.
 *
 * Flink's `CheckpointedFunction` with `snapshotState` and `initializeState`, or an operator below its functions. A machine is a plain object that
 * is called for each element; `operate` does the rest (barriers, the order of things, errors), and chains it with its neighbours. What
 * `snapshotState` returns is in the checkpoint, and `restoreState` is given it after a restart.
 *
 * What this keeps is small and written as a whole at each checkpoint. A machine that keeps much asks its context for `rows` or `entries`.
 *
 *     npm run example -- ownOperator
 */
import { defineJob, operate, type Stream } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

/** Groups of `size` numbers; what is left at the end is a smaller one. */
export const inGroups = (uid: string, size: number) =>
  operate<number, readonly number[]>({
    name: 'inGroups',
    uid,
    keys: 'none',
    create({ output, watermark }) {
      let group: readonly number[] = []
      return {
        processRecord(value, timestamp) {
          group = [...group, value]
          if (group.length < size) return
          output.processRecord(group, timestamp, undefined)
          group = []
        },
        endOfInput() {
          if (group.length > 0) output.processRecord(group, Number.isFinite(watermark()) ? watermark() : undefined, undefined)
          group = []
        },
        snapshotState: () => group,
        restoreState(stored) {
          group = stored as readonly number[]
        },
      }
    },
  })

export const groupsOfThree = (numbers: Stream<number>) => numbers.pipe(inGroups('in-threes', 3))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const groups = memorySink<readonly number[]>()
  const job = defineJob('own-operator', { storage: memory() }, ({ source, sink }) =>
    groupsOfThree(source('numbers', memorySource([1, 2, 3, 4, 5, 6, 7, 8]))).pipe(sink('groups', groups)),
  )
  await job.run().done
  for (const group of groups.committed) print(group.join(' '))
}

if (process.argv[1] === import.meta.filename) await main()
