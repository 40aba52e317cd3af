/**
 * Collects clicks and hands them to the sink ten at a time.
 *
 * Flink's `CheckpointedFunction` with a `ListState` of the operator, which belongs to no key. There the buffer is a field, copied into the state
 * at each checkpoint; here the list is the state, so nothing has to be copied: a checkpoint writes the clicks that came since the last one, and
 * a restart finds the rest of a batch where it was. (For a buffer of your own, `processUnkeyed` calls `initializeState` and `snapshotState`.)
 *
 * In Flink the batch itself is printed again when a crash follows before the next checkpoint. Here it goes on to a transactional sink.
 *
 *     npm run example -- bufferingSink
 */
import { defineJob, emits, listState, processUnkeyed, type Stream } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'
import { Click, clicks, shown } from './clicks.js'

const threshold = 10

export const inBatches = (input: Stream<Click>) =>
  input.pipe(
    processUnkeyed(
      'buffer',
      { state: { buffered: listState(Click) }, emits: emits<readonly Click[]>() },
      {
        onRecord(click, { state, emit }) {
          state.buffered.add(click)
          if (state.buffered.size < threshold) return
          emit([...state.buffered])
          state.buffered.clear()
        },
        onEnd({ state, emit }) {
          if (state.buffered.size > 0) emit([...state.buffered])
          state.buffered.clear()
        },
      },
    ),
  )

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const batches = memorySink<readonly Click[]>()
  const job = defineJob('buffering-sink', { storage: memory() }, ({ source, sink }) =>
    inBatches(source('clicks', memorySource(clicks))).pipe(sink('batches', batches)),
  )
  await job.run().done
  for (const batch of batches.committed) {
    for (const { user, url, timestamp } of batch) print(`Event{user='${user}', url='${url}', timestamp=${shown(timestamp)}}`)
    print('==========done=========')
  }
}

if (process.argv[1] === import.meta.filename) await main()
