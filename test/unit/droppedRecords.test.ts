import { describe, expect, test } from 'vitest'
import { memory } from '../../backends/memory/index.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import type { JobEvent } from '../../lib/events.js'
import { defineJob } from '../../lib/job.js'
import type { Key } from '../../lib/key.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { countRecords } from '../../lib/window/aggregate.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { intervalJoin } from '../../operators/intervalJoin.js'
import { keyBy } from '../../operators/keyBy.js'
import { window } from '../../operators/window.js'

const timed = assignTimestamps({ timestamp: (at: number) => at, watermarks: monotonousTimestamps() })

describe('records that are dropped', () => {
  test('are counted by operator and reason, on the handle and in an event', async () => {
    const job = defineJob('dropping', { storage: memory() }, ({ source, sink }) => {
      const times = source('times', memorySource([100, 5, 7, 112, 118])).pipe(
        timed,
        keyBy((): Key => 'all'),
      )
      return [
        times.pipe(window('late', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }), sink('a', memorySink())),
        times.pipe(window('gaps', { assigner: sliding({ sizeMs: 4, slideMs: 10 }), aggregate: countRecords() }), sink('b', memorySink())),
        times.pipe(
          intervalJoin('pairs', times, { lowerMs: 0, upperMs: 1 }, (a: number, b: number) => [a, b]),
          sink('c', memorySink()),
        ),
      ]
    })
    const events: JobEvent[] = []
    const run = job.run()
    run.events$.subscribe((event) => events.push(event))
    await run.done
    const counted = run.droppedRecords()
    // Of 100, 5, 7, 112 and 118 two are behind their windows, and one that is not late lies between two.
    expect(counted).toEqual([
      { operator: 'late', reason: 'windowEnded', records: 2 },
      { operator: 'gaps', reason: 'windowEnded', records: 2 },
      { operator: 'gaps', reason: 'noWindow', records: 1 },
      { operator: 'pairs', reason: 'behindJoin', records: 4 },
    ])
    expect(events.filter(({ kind }) => kind === 'recordsDropped')).toEqual(counted.map((each) => ({ kind: 'recordsDropped', ...each })))
  })

  test('are none where nothing was dropped, before a run, and behind it', () => {
    const job = defineJob('keeping', { storage: memory() }, ({ source, sink }) => source('times', memorySource([1])).pipe(sink('out', memorySink())))
    const run = job.run()
    expect(run.droppedRecords()).toEqual([])
    run.cancel()
  })
})
