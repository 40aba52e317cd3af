import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { listState } from '../../lib/state/listState.js'
import { valueState } from '../../lib/state/valueState.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: processUnkeyed(
    'pairs',
    { state: { waiting: listState(t.string) }, emits: emits<string>() },
    {
      onRecord(word: string, { state, emit }) {
        state.waiting.add(word)
        if (state.waiting.size < 2) return
        emit([...state.waiting].join('+'))
        state.waiting.clear()
      },
    },
  ),
  one: ['a', []],
  many: [
    ['a', 'b', 'c', 'd', 'e'],
    ['a+b', 'c+d'],
  ],
  throwing: (error) =>
    processUnkeyed(
      'throws',
      { state: {} },
      {
        onRecord() {
          throw error
        },
      },
    ),
})

/** A buffer in memory that only becomes state at a barrier, as with Flink's CheckpointedFunction. */
const buffering = () => {
  let buffer: string[] = []
  return processUnkeyed(
    'buffer',
    { state: { kept: valueState(t.array(t.string)) }, emits: emits<string>() },
    {
      onRecord(word: string) {
        buffer.push(word)
      },
      onEnd({ emit }) {
        emit(buffer.join(''))
      },
      initializeState({ state, restored }) {
        buffer = [...(restored ? (state.kept.value() ?? []) : [])]
      },
      snapshotState({ state }) {
        state.kept.update([...buffer])
      },
    },
  )
}

describe('processUnkeyed', () => {
  test('snapshotState is called before the capture, initializeState after the restore', () => {
    const first = handFed(buffering()).start()
    first.run.open()
    first.records('a', 'b').barrier(1)
    first.records('lost')
    const run = new HandRun()
    const second = handFed(buffering(), run).start()
    run.open(first.run.complete(1))
    second.records('c').end()
    expect(second.out.seen).toEqual(['wInfinity', 'abc', 'end'])
  })

  test('results keep the key and the event time of the record', () => {
    const same = processUnkeyed(
      'same',
      { state: {}, emits: emits<string>() },
      {
        onRecord(word: string, { emit }) {
          emit(word)
        },
        onWatermark(watermark, { emit }) {
          emit(`at ${watermark}`)
        },
      },
    )
    const fed = handFed(same).start(true)
    fed.run.open()
    fed.record('a', 7, 'k').watermark(9)
    expect(fed.out.records).toEqual([
      { value: 'a', timestamp: 7, key: 'k' },
      { value: 'at 9', timestamp: undefined, key: undefined },
    ])
  })
})
