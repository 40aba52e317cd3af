import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { SinkError } from '../../lib/errors.js'
import { records } from '../../operators/records.js'
import { sink } from '../../operators/sink.js'
import { tapValues } from '../../operators/tapValues.js'
import { sinkWith } from '../support/adversaries.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

/** A job that writes what it reads. */
function copying(values: readonly string[], bounded = true) {
  const input = memorySource(values, { bounded })
  const out = memorySink<string>()
  const { job } = testJob(({ source, sink: into }) => source('in', input).pipe(into('out', out)))
  return { job, input, out }
}

describe('sink', () => {
  test('never: writes nothing and commits nothing', async () => {
    const { job, out } = copying([], false)
    const run = watched(job)
    await settled()
    expect(out.transactions).toEqual([])
    run.cancel()
    await settled()
    expect(out.pending).toEqual([])
  })

  test.each([[[]], [['a']], [['a', 'b', 'c']]])('%j is written once', async (values) => {
    const { job, out } = copying(values)
    await ran(job)
    await ran(job)
    expect(out.committed).toEqual(values)
  })

  test('nothing is visible before the barrier behind it, and no more than what is before it', async () => {
    const { job, input, out } = copying(['a'], false)
    const run = watched(job)
    await settled()
    expect(out.committed).toEqual([])
    await run.checkpoint()
    input.push('b')
    await settled()
    expect(out.committed).toEqual(['a'])
    await run.stop()
    expect(out.transactions.map(({ values }) => values)).toEqual([['a'], ['b']])
  })

  test('error and early unsubscribe commit nothing', async () => {
    const mine = new Error('mine')
    const out = memorySink<string>()
    const { job } = testJob(({ source, sink: into }) =>
      source('in', memorySource(['a', 'b'])).pipe(
        tapValues((value) => {
          if (value === 'b') throw mine
        }),
        into('out', out),
      ),
    )
    expect(await failed(job)).toBe(mine)
    expect([out.committed, out.pending]).toEqual([[], []])
    const cancelled = copying(['a'], false)
    const run = watched(cancelled.job)
    await settled()
    run.cancel()
    await settled()
    expect(cancelled.out.committed).toEqual([])
  })

  test('what write throws ends the run, with that very error', async () => {
    const mine = new SinkError('SINK_IO', { reason: 'mine' })
    const inner = memorySink<string>()
    const out = sinkWith(inner, {})
    const throwing = {
      ...out,
      open: (context: Parameters<typeof out.open>[0]) => async () => {
        const opened = await out.open(context)()
        return opened._tag === 'Left'
          ? opened
          : {
              ...opened,
              right: {
                ...opened.right,
                write: () => {
                  throw mine
                },
              },
            }
      },
    }
    const { job } = testJob(({ source, sink: into }) => source('in', memorySource(['a'])).pipe(into('out', throwing)))
    expect(await failed(job)).toBe(mine)
  })

  test('outside a job it is an error that says what to write', () => {
    const errors: unknown[] = []
    of(1)
      .pipe(records(), sink('out', memorySink()))
      .subscribe({ error: (error) => errors.push(error) })
    expect(errors).toMatchObject([{ code: 'SOURCE_NOT_REPLAYABLE', details: { uid: 'out' } }])
  })

  test.each([undefined, {}, { commits: 'sometimes' }, memorySource([])])('refuses %o as its target', (to) => {
    expect(() => sink('out', to as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ uid: 'out' }) }),
    )
  })

  test('refuses a uid that is no name', () => {
    expect(() => sink('a b', memorySink())).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })

  test('one target in two places is an error', async () => {
    const out = memorySink<string>()
    const { job } = testJob(({ source, sink: into }) => {
      const input = source('in', memorySource(['a']))
      return [input.pipe(into('a', out)), input.pipe(into('b', out))]
    })
    expect(await failed(job)).toMatchObject({ code: 'SINK_SHARED' })
    expect(out.committed).toEqual([])
  })
})
