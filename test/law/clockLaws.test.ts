import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClockUnderLaw, clockLaws } from '../../laws/clockLaws.js'
import { operate } from '../../lib/operate.js'

type Wrong = 'forgets' | 'waitsAnew' | 'letsTimePass'

/** Lets each value go on 10 ms later, and is wrong in one way. */
const broken = (wrong: Wrong): ClockUnderLaw<number>['apply'] =>
  operate<number, number>({
    name: 'later',
    uid: 'later',
    time: wrong === 'letsTimePass' ? 'passes' : 'held',
    create({ clock, callAt, output, emitWatermark, watermark, emitEnd }) {
      let waiting: { readonly value: number; readonly timestamp: number | undefined; readonly atMs: number }[] = []
      let ended = false
      const settle = (): void => {
        if (waiting.length > 0) return
        emitWatermark(watermark())
        if (ended) emitEnd()
      }
      const wait = (entry: (typeof waiting)[number]): void => {
        waiting.push(entry)
        callAt(entry.atMs, () => {
          waiting = waiting.filter((each) => each !== entry)
          output.processRecord(entry.value, entry.timestamp, undefined)
          settle()
        })
      }
      return {
        processRecord: (value, timestamp) => wait({ value, timestamp, atMs: clock.nowMs() + 10 }),
        processWatermark: settle,
        endOfInput() {
          ended = true
          settle()
        },
        snapshotState: () =>
          wrong === 'forgets' ? [] : waiting.map(({ value, timestamp, atMs }) => [value, timestamp ?? null, wrong === 'waitsAnew' ? null : atMs]),
        restoreState(stored) {
          for (const [value, timestamp, atMs] of stored as [number, number | null, number | null][])
            wait({ value, timestamp: timestamp ?? undefined, atMs: atMs ?? Math.ceil(clock.nowMs()) + 10 })
        },
      }
    },
  })

describe('an operator that waits and breaks a law is caught', () => {
  const canaries = [
    ['restore-in-time', 'forgets'],
    ['restore-in-time', 'waitsAnew'],
    ['nothing-becomes-late', 'letsTimePass'],
  ] as const
  for (const [name, wrong] of canaries)
    it(`by ${name}: one that ${wrong}`, async () => {
      const laws = clockLaws<number>({ apply: broken(wrong), values: fc.integer({ min: 1, max: 9 }) })
      await expect(laws.find((law) => law.name === name)?.check({ seed: 1 })).rejects.toThrow(`The law ${name} does not hold`)
    })
})
