/** Interleavings in which the protocol once lost, doubled or hung. */

import { either, option, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { asapScheduler, merge, type Observable, observeOn, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { CommitQueue } from '../../lib/commitQueue.js'
import type { StreamElement } from '../../lib/element.js'
import { InvariantViolation, SinkError, SourceError } from '../../lib/errors.js'
import type { JobEvent } from '../../lib/events.js'
import { checkpointId, epoch } from '../../lib/identity.js'
import { countRecords, tumbling } from '../../lib/index.js'
import { defineJob } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import type { Machine } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import type { SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { keyBy } from '../../operators/keyBy.js'
import { lift } from '../../operators/lift.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { manualClock, settled } from '../support/manualClock.js'

const never = { intervalMs: Number.POSITIVE_INFINITY }
const options = (more: Partial<JobOptions> = {}): JobOptions => ({ storage: memory(), checkpoints: never, ...more })
/** An operator that passes records on, and does something of its own. */
const passing = (uid: string, more: Omit<Machine<unknown>, 'processRecord'>) =>
  operate<number, number>({
    name: uid,
    uid,
    create: ({ output }) => ({ ...more, processRecord: (value, timestamp, key) => output.processRecord(value as number, timestamp, key) }),
  })
const eventually = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 200 && !holds(); turn += 1) await settled(1)
}
/** How a promise ended, or that it has not. */
const outcome = async (promise: Promise<unknown>): Promise<unknown> => {
  let found: unknown = 'pending'
  promise.then(
    (value) => {
      found = value ?? 'done'
    },
    (error: unknown) => {
      found = (error as { code?: unknown }).code ?? error
    },
  )
  await eventually(() => found !== 'pending')
  return found
}

describe('aborts', () => {
  test('an operator behind a union may decline a checkpoint, and the job goes on', async () => {
    let declines = 1
    const snapshotState = (): null => {
      if (declines-- > 0) throw new Error('not now')
      return null
    }
    const to = memorySink<number>()
    const job = defineJob('declining', options(), ({ source, sink }) =>
      source('a', memorySource([1, 2])).pipe(union(source('b', memorySource([3]))), passing('picky', { snapshotState }), sink('out', to)),
    )
    expect(await outcome(job.run().done)).toBe('done')
    expect([...to.committed].sort()).toEqual([1, 2, 3])
  })

  test('an alignment that overflows aborts its checkpoint, and drops nothing', () => {
    const run = new HandRun({ limits: { heldElementsMax: 1 } })
    const a = new HandFeed(run)
    const b = new HandFeed(run)
    const out = noted(a.stream.pipe(union(b.stream)))
    a.start()
    b.start()
    run.open()
    a.barrier(1).records('a1', 'a2')
    expect(run.aborted.map(({ id }) => id)).toEqual([1])
    b.records('b1').barrier(1)
    expect(out.seen).toEqual(['a1', 'a2', 'b1'])
    expect(run.failures).toEqual([])
  })

  test('an abort while a union is busy releases what it holds back, before what came later', () => {
    const run = new HandRun()
    const a = new HandFeed(run)
    const b = new HandFeed(run)
    const out = noted(
      a.stream.pipe(
        union(b.stream),
        tapValues((value) => {
          if (value !== 'b1') return
          a.record('a2')
          run.abort(checkpointId(1), new Error('given up'))
        }),
      ),
    )
    a.start()
    b.start()
    run.open()
    a.barrier(1).record('a1')
    b.records('b1', 'b2')
    expect(out.seen).toEqual(['b1', 'a1', 'a2', 'b2'])
    expect(run.failures).toEqual([])
  })

  test('a participant that throws when it is told ends the run, instead of leaving it waiting', async () => {
    const mine = new Error('mine')
    const told = (hook: Omit<Machine<unknown>, 'processRecord'>): Promise<unknown> => {
      const job = defineJob('told', options(), ({ source, sink }) =>
        source('in', memorySource([1])).pipe(passing('op', hook), sink('out', memorySink())),
      )
      return outcome(job.run().done)
    }
    const raise = (): never => {
      throw mine
    }
    expect(await told({ notifyCheckpointComplete: raise })).toBe(mine)
    expect(await told({ close: raise })).toBe(mine)
    let failed = false
    const snapshotState = (): null => {
      if (failed) return null
      failed = true
      throw new Error('not now')
    }
    expect(await told({ snapshotState, notifyCheckpointAborted: raise })).toBe(mine)
  })

  test('whoever throws while it is closed keeps no storage and no other run waiting', async () => {
    const storage = memory()
    const to = memorySink<number>()
    let broken = true
    const close = (): void => {
      if (broken) throw new Error('mine')
    }
    const job = defineJob('closing', options({ storage }), ({ source, sink }) =>
      source('in', memorySource([1, 2])).pipe(passing('op', { close }), sink('out', to)),
    )
    job.run().cancel()
    const run = job.run()
    await settled()
    run.cancel()
    broken = false
    expect(await outcome(job.run().done)).toBe('done')
    expect(to.committed).toEqual([1, 2])
  })
})

describe('transactions', () => {
  test('one is made durable after the other, so that what failed joins the next', async () => {
    const begun: number[] = []
    const ends: ((result: either.Either<Error, option.Option<TransactionHandle>>) => void)[] = []
    const queue = new CommitQueue('sink', {} as SinkWriter<never>, { clock: manualClock(), retried() {}, confirmed() {}, fail() {} })
    for (const id of [1, 2])
      queue.preCommitted(checkpointId(id), epoch(1), () => {
        begun.push(id)
        return new Promise((resolve) => ends.push(resolve))
      })
    await settled(1)
    expect(begun).toEqual([1])
    ends[0]?.(either.left(new SinkError('SINK_IO', {})))
    await settled(1)
    expect(begun).toEqual([1, 2])
    ends[1]?.(either.right(option.some('1 and 2')))
    await queue.prepared(checkpointId(2))
    expect(queue.pending(checkpointId(2)).map(({ handle }) => handle)).toEqual(['1 and 2'])
  })

  test('a sink whose own state cannot be taken keeps its transaction', async () => {
    const to = memorySink<number>()
    let declines = 1
    const snapshotState = (): null => {
      if (declines-- > 0) throw new Error('not now')
      return null
    }
    const stateful = operate<number, never>({
      name: 'statefulSink',
      uid: 'out',
      create: () => {
        let writer: SinkWriter<number> | undefined
        return {
          sink: to,
          attachWriter: (attached) => {
            writer = attached as SinkWriter<number>
          },
          processRecord: (value, timestamp, key) => writer?.write(value, timestamp, key),
          preCommit: (id) => (writer as SinkWriter<number>).preCommit(id),
          snapshotState,
        }
      },
    })
    const job = defineJob('keeping', options(), ({ source }) => stateful(source('in', memorySource([1, 2, 3]))) as never)
    expect(await outcome(job.run().done)).toBe('done')
    expect(to.committed).toEqual([1, 2, 3])
  })

  test('a last checkpoint that fails again and again leaves others their turn', async () => {
    let declined = 0
    const snapshotState = (): null => {
      declined += 1
      if (declined > 10_000) return null
      throw new Error('not now')
    }
    const checkpoints = { ...never, tolerableFailures: Number.POSITIVE_INFINITY }
    const job = defineJob('declining', options({ checkpoints }), ({ source, sink }) =>
      source('in', memorySource([1])).pipe(passing('op', { snapshotState }), sink('out', memorySink())),
    )
    const run = job.run()
    await settled(5)
    run.cancel()
    expect(declined).toBeLessThan(100)
  })

  test('a bug of a sink ends the run, and is not tried again for ever', async () => {
    const failures: unknown[] = []
    const bug = new InvariantViolation('a bug')
    const writer = { commit: () => () => Promise.reject(bug) } as unknown as SinkWriter<never>
    const queue = new CommitQueue('sink', writer, { clock: manualClock(), retried() {}, confirmed() {}, fail: (error) => failures.push(error) })
    queue.preCommitted(checkpointId(1), epoch(1), TE.right(option.some('1')))
    await queue.prepared(checkpointId(1))
    queue.decide(checkpointId(1))
    await settled(2)
    expect(failures).toEqual([bug])
  })

  test('a sink that a run over another storage has written is never taken for an older state of this one', async () => {
    const to = memorySink<number>()
    const run = (values: number[]): Promise<unknown> => {
      const restore = { allowSinkAhead: true }
      const job = defineJob('wiped', options({ restore }), ({ source, sink }) => source('in', memorySource(values)).pipe(sink('out', to)))
      return outcome(job.run().done)
    }
    expect(await run([1, 2])).toBe('done')
    // The same epoch and checkpoint again: the sink would take the transaction for one that it has.
    expect(await run([3, 4])).toBe('SINK_AHEAD')
    expect(to.committed).toEqual([1, 2])
  })
})

describe('the life of a run', () => {
  test('a start that fails at once leaves the storage free', async () => {
    const storage = memory()
    const job = defineJob('merged', options({ storage }), ({ source, sink }) =>
      (merge(source('a', memorySource([1])), source('b', memorySource([2]))) as Observable<StreamElement<number>>).pipe(sink('out', memorySink())),
    )
    expect(await outcome(job.run().done)).toBe('STREAM_STARTED_TWICE')
    expect(await outcome(job.run().done)).toBe('STREAM_STARTED_TWICE')
  })

  test('a second subscription is refused, and the first run keeps its handle', async () => {
    const from = memorySource([1], { bounded: false })
    const to = memorySink<number>()
    const job = defineJob('twice', options(), ({ source, sink }) => source('in', from).pipe(sink('out', to)))
    const first = job.run()
    await settled()
    expect(await outcome(job.run().done)).toBe('BACKEND_IN_USE')
    expect(await outcome(first.checkpoint())).toBe(1)
    expect(await outcome(first.stop())).toBe('done')
    expect(to.committed).toEqual([1])
  })

  test('a stop that falls into the wait before a restart stops the next run', async () => {
    let failures = 0
    const from = memorySource([1], { bounded: false })
    const to = memorySink<number>()
    const job = defineJob('restarting', options(), ({ source, sink }) =>
      source('in', from).pipe(
        mapValues((n) => {
          if (failures++ === 0) throw new Error('once')
          return n
        }),
        sink('out', to),
      ),
    )
    const starts: JobEvent[] = []
    const run = job.run({ restart: { count: 1, delayMs: 0 } })
    run.events$.subscribe((event) => {
      if (event.kind === 'started') starts.push(event)
    })
    await eventually(() => failures > 0)
    expect(starts.length).toBe(1)
    await run.stop()
    expect(starts.length).toBe(2)
  })

  test('a source that fails after the job was stopped does not fail the stop', async () => {
    let fail: (error: unknown) => void = () => {}
    const from: ReplayableSource<number> = {
      offsets: 'replayable',
      open: () =>
        TE.right({
          start: 0,
          read: () =>
            TE.tryCatch(
              () => new Promise<never>((_resolve, reject) => (fail = reject)),
              (cause) => cause as SourceError,
            ),
          close: () => async () => {},
        }),
    }
    const job = defineJob('stopping', options(), ({ source, sink }) =>
      source('in', from).pipe(
        passing('op', {
          snapshotState: () => {
            fail(new SourceError('SOURCE_IO'))
            return null
          },
        }),
        sink('out', memorySink()),
      ),
    )
    const run = job.run()
    await settled()
    expect(await outcome(run.stop())).toBe('done')
  })

  test('whoever unsubscribes as a checkpoint starts leaves no timer behind', async () => {
    const clock = manualClock()
    const job = defineJob('leaving', options({ clock }), ({ source, sink }) => source('in', memorySource([1])).pipe(sink('out', memorySink())))
    const subscription = job.subscribe((event: JobEvent) => {
      if (event.kind === 'checkpointStarted') subscription.unsubscribe()
    })
    await settled()
    expect(subscription.closed).toBe(true)
    expect(clock.pendingCount).toBe(0)
  })

  test('checkpoints go on when the clock was set back', async () => {
    const real = manualClock(1_000_000)
    let backMs = 0
    const clock = { ...real, nowMs: () => real.nowMs() - backMs, callAt: (atMs: number, work: () => void) => real.callAt(atMs + backMs, work) }
    let completed = 0
    const from = memorySource([1], { bounded: false })
    const job = defineJob('clock', options({ clock, checkpoints: { intervalMs: 100 } }), ({ source, sink }) =>
      source('in', from).pipe(sink('out', memorySink())),
    )
    const subscription = job.subscribe((event: JobEvent) => {
      if (event.kind === 'checkpointStarted') backMs = 500_000
      if (event.kind === 'checkpointCompleted') completed += 1
    })
    await settled()
    for (let turn = 0; turn < 5; turn += 1) await real.advance(100)
    subscription.unsubscribe()
    expect(completed).toBeGreaterThan(2)
  })

  test('two names that every object has are names of participants like any other', async () => {
    const storage = memory()
    const to = memorySink<number>()
    const known = memorySink<number>()
    const first = defineJob('names', options({ storage }), ({ source, sink }) => source('in', memorySource([1])).pipe(sink('out', known)))
    expect(await outcome(first.run().done)).toBe('done')
    const second = defineJob('names', options({ storage }), ({ source, sink }) => [
      source('in', memorySource([1])).pipe(sink('out', known)),
      source('constructor', memorySource([2])).pipe(sink('toString', to)),
    ])
    expect(await outcome(second.run().done)).toBe('done')
    expect(to.committed).toEqual([2])
  })
})

describe('operators', () => {
  test('what fails behind a lifted operator ends the run with its own error', async () => {
    const mine = new Error('mine')
    const to = memorySink<number>()
    const job = defineJob('lifted', options(), ({ source, sink }) =>
      source('in', memorySource([1, 2, 3])).pipe(
        lift(tap()),
        mapValues((n) => {
          if (n === 2) throw mine
          return n
        }),
        sink('out', to),
      ),
    )
    expect(await outcome(job.run().done)).toBe(mine)
    expect(to.committed).toEqual([])
  })

  test('rows of a table that the operator no longer has are never dropped in silence', async () => {
    const storage = memory()
    const from = memorySource([1, 2])
    const to = memorySink<unknown>()
    const before = defineJob('kinds', options({ storage }), ({ source, sink }) =>
      source('in', from).pipe(
        keyBy(() => 'all'),
        statefulMap('op', { state: t.number, initial: 0 }, (sum, n: number) => [sum + n, sum + n]),
        sink('out', to),
      ),
    )
    expect(await outcome(before.run().done)).toBe('done')
    const after = defineJob('kinds', options({ storage }), ({ source, sink }) =>
      source('in', from).pipe(
        keyBy(() => 'all'),
        window('op', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }),
        sink('out', to),
      ),
    )
    expect(await outcome(after.run().done)).toBe('STATE_KIND_CHANGED')
  })

  test('a record makes an idle stream active, also when event time stands still', async () => {
    const run = new HandRun()
    const a = new HandFeed(run)
    const out = noted(
      a.stream.pipe(assignTimestamps({ timestamp: (at: number) => at, watermarks: boundedOutOfOrderness({ delayMs: 0, idleAfterMs: 100 }) })),
    )
    a.start()
    run.open()
    a.record(10)
    for (let turn = 0; turn < 5; turn += 1) await run.clock.advance(100)
    const idle = out.seen.length
    a.record(10)
    expect(out.seen.slice(idle).length).toBe(2)
  })

  test('event time does not end while an input is only idle, and what that one brings later is on time', () => {
    const ends = (restored: boolean): readonly unknown[] => {
      const joined = () => {
        const run = new HandRun()
        const a = new HandFeed(run)
        const b = new HandFeed(run)
        const out = noted(a.stream.pipe(union(b.stream)))
        a.start()
        b.start()
        return { run, a, b, out }
      }
      let { run, a, b, out } = joined()
      run.open()
      a.watermark(10)
      b.watermark(20).idle()
      a.end()
      if (restored) {
        a.barrier(1)
        b.barrier(1)
        const from = run.complete(1)
        ;({ run, a, b, out } = joined())
        run.open(from)
        a.end()
      } else expect(out.seen.splice(0)).toEqual(['w10', 'w20', 'idle'])
      b.idle(false).record('on time', 30).watermark(30).end()
      expect(run.failures).toEqual([])
      return out.seen
    }
    expect(ends(false)).toEqual(['active', 'on time', 'w30', 'wInfinity', 'end'])
    expect(ends(true)).toEqual(ends(false))
  })

  test('hops over microtasks are no lost barrier', async () => {
    const to = memorySink<number>()
    const hops = <E>(stream: Observable<E>): Observable<E> =>
      Array.from({ length: 8 }).reduce<Observable<E>>((before) => before.pipe(observeOn(asapScheduler)), stream)
    const job = defineJob('hops', options({ checkpoints: { intervalMs: 1 } }), ({ source, sink }) => {
      const numbers = source('in', memorySource(Array.from({ length: 2_000 }, (_, n) => n)))
      return hops(numbers).pipe(union(numbers.pipe(mapValues((n) => -n))), sink('out', to))
    })
    expect(await outcome(job.run().done)).toBe('done')
    expect(to.committed.length).toBe(4_000)
  })
})
