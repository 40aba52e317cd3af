import { asyncMap } from '../../../operators/asyncMap.js'
import { Harness, type Kept } from '../harness.js'
import { type Case, type Fields, knownOptions, Mismatch, plainValue, recordTime, text, unknown, watermarkTime } from '../model.js'
import { compareOutputs, type Emitted } from '../play.js'

type Call = (value: any) => Promise<unknown>

/** How a call ends, in words. `fresh` says that the instance was not restored. */
const calls: readonly (readonly [words: RegExp, make: (fresh: boolean, times: number) => Call])[] = [
  [
    /^asyncInvoke completes later(?: on another thread)? with \[(?:(\d+)\*)?v\]$/,
    (_fresh, times) => async (value) => {
      await settled()
      return times * value
    },
  ],
  [/^asyncInvoke completes at once with \[(?:(\d+)\*)?v\]$/, (_fresh, times) => (value) => Promise.resolve(times * value)],
  [
    /^before the snapshot no invocation ever completes; after restore every invocation completes at once with \[v\]$/,
    (fresh) => (value) => (fresh ? new Promise(() => {}) : Promise.resolve(value)),
  ],
  [
    /^asyncInvoke completes exceptionally$/,
    () => async () => {
      await settled()
      throw new Error('the call failed')
    },
  ],
  [
    /^asyncInvoke throws$/,
    () => () => {
      throw new Error('the call failed')
    },
  ],
  [/^asyncInvoke never completes$/, () => () => new Promise(() => {})],
]

function callOf(fn: unknown): (fresh: boolean) => Call {
  for (const [words, make] of calls) {
    const found = words.exec(String(fn))
    if (found !== null) return (fresh) => make(fresh, Number(found[1] ?? 1))
  }
  throw unknown('asynchronous function', fn)
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
/** Everything that is ready has its turn. */
const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn++) await settled()
}

/** Calls whose results come later. Where expectations say no step, only the order counts, and failures come at any time. */
export async function asynchronous(golden: Case): Promise<void> {
  const { mode, capacity, timeout, fn } = golden.config
  const call = callOf(fn)
  knownOptions(golden, ['mode', 'capacity', 'timeout', 'fn'])
  if (mode !== 'ordered' && mode !== 'unordered') throw unknown('mode', mode)
  let fresh = true
  let underWay = 0
  const harness = new Harness({
    inputs: 1,
    build: ([input]) => {
      const invoke = call(fresh)
      return (input as any).pipe(
        asyncMap('under-test', { order: mode === 'ordered' ? 'kept' : 'free', capacity, timeoutMs: timeout }, (value) => {
          underWay += 1
          if (underWay > capacity) throw new Mismatch(`${underWay} calls at once, the capacity is ${capacity}`)
          return invoke(value).finally(() => {
            underWay -= 1
          })
        }),
      )
    },
  })
  const kept = new Map<string, Kept>()
  let emitted: Emitted[] = []
  let failedAt: number | undefined
  const step = async (event: Fields): Promise<void> => {
    switch (event['op']) {
      case 'element':
        return harness.record(plainValue(event['value']), recordTime(event['ts']))
      case 'watermark':
        return harness.watermark(watermarkTime(event['ts']))
      case 'processingTime':
        return harness.processingTime(event['to'])
      case 'snapshot':
        return void kept.set(event['ref'], harness.snapshot())
      case 'restore':
        fresh = false
        underWay = 0
        // Expectations are about what comes behind the restore.
        emitted = []
        return harness.restore(kept.get(event['from']) as Kept)
      case 'endInput':
        return harness.end()
      default:
        throw unknown('operation', event['op'])
    }
  }
  try {
    for (const [index, event] of golden.input.entries()) {
      try {
        await step(event)
        await quiet()
        harness.call(() => {})
      } catch (error) {
        if (error instanceof Mismatch || !golden.expected.some(({ kind }) => kind === 'jobFailure' || kind === 'error')) throw error
        failedAt = index
        emitted.push({ kind: 'jobFailure' })
      }
      emitted.push(...harness.takeEmitted())
      if (failedAt !== undefined) break
    }
  } finally {
    harness.close()
  }
  const expectedAt = golden.expected.find(({ kind }) => kind === 'jobFailure')?.['after']
  if (expectedAt !== undefined && failedAt !== expectedAt)
    throw new Mismatch(`the failure came at step ${failedAt ?? 'none'}, expected at ${expectedAt}`)
  const shown = (outputs: readonly Fields[]): Fields[] =>
    outputs.map(({ kind, value, ts }) => (kind === 'record' ? { kind, value, ts } : kind === 'watermark' ? { kind, ts } : { kind }))
  compareOutputs(`all steps of ${text(golden.input.length)}`, golden.order === 'exact' ? 'exact' : 'any', shown(golden.expected), shown(emitted))
}
