import { RxweirError } from '../../../lib/errors.js'
import { timeWindow } from '../../../lib/window/timeWindow.js'
import { windowStart } from '../../../lib/window/windowStart.js'
import { type Case, type Fields, Mismatch, recordTime, text, unknown } from '../model.js'
import { canonical, equal } from '../play.js'
import { assignerOf } from '../windows.js'
import { newSessions } from './mergingWindowSet.js'

type Pair = readonly [start: number, end: number]

const pair = ({ start, end }: { readonly start: number; readonly end: number }): Pair => [start, end]
const asSet = (values: readonly unknown[]): unknown[] => [...values].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))

/** Which windows a record belongs to, which parameters are refused, and which windows become one. */
export function windowAssigners(golden: Case): void {
  const { fn, type, size, offset } = golden.config
  const functions: { readonly [name: string]: (input: Fields) => Fields } = {
    getWindowStartWithOffset: ({ ts }) => ({ start: windowStart(recordTime(ts) as number, size, offset) }),
    intersects: ({ other }) => ({
      intersects: mergesOf([golden.config['window'], other]).length > 0 || text(other) === text(golden.config['window']),
    }),
    mergeWindows: ({ windows }) => ({ merges: mergesOf(windows) }),
  }
  for (const expected of golden.expected) {
    const input = golden.input[expected['after']] as Fields
    const where = text(input)
    if (type === 'validation') expectRefused(where, input)
    else if (fn === undefined) {
      const found = assignerOf(golden.config)
        .assign(input['value'], recordTime(input['ts']) as number)
        .map(pair)
      equal(where, asSet(expected['windows']), asSet(found))
    } else {
      const answer = functions[fn]
      if (answer === undefined) throw unknown('function of windows', fn)
      const found = answer(input)
      for (const [name, wanted] of Object.entries(expected)) if (name !== 'after') equal(where, shown(wanted), shown(found[name]))
    }
  }
}

/** Merges and their sources come in any order. */
const shown = (value: unknown): unknown =>
  Array.isArray(value) ? asSet(value.map((merge: Fields) => ({ ...merge, sources: asSet(merge['sources']) }))) : value

function expectRefused(where: string, config: Fields): void {
  try {
    assignerOf(config)
  } catch (error) {
    if (error instanceof RxweirError) return
    throw error
  }
  throw new Mismatch(`${where} was not refused`)
}

/** Windows that became one, and of which: those that merge with nothing are left out. */
function mergesOf(windows: readonly Pair[]): { readonly sources: Pair[]; readonly result: Pair }[] {
  const { sessions, table } = newSessions()
  for (const [start, end] of windows) sessions.add('key', timeWindow(start, end))
  return [...table.rows()].flatMap(({ value: [start, end] }) => {
    const sources = windows.filter((each) => each[0] >= start && each[1] <= end)
    return sources.length > 1 ? [{ sources, result: [start, end] as const }] : []
  })
}
