import { InvariantViolation, RxweirError } from '../../lib/errors.js'
import { FunctionFailed } from './functions.js'
import { type Case, type Fields, Mismatch, normal, text, Unsupported } from './model.js'

/** What came out during one step. */
export type Emitted = Fields & { readonly kind: string }

export interface Player {
  /** Processes one input event. What it throws is an outcome of the step. */
  apply(event: Fields, index: number): void | Promise<void>
  /** Hands over what came out since the last call. */
  take?(): Emitted[]
  /** Answers an expectation that asks for something instead of waiting for it: what to compare with it. Undefined for those that wait. */
  answer?(expected: Fields): Fields | undefined
  /** Called at the end, in any case. */
  close?(): void
}

/** Feeds a case to a player and compares step by step. */
export async function play(golden: Case, player: Player): Promise<void> {
  try {
    for (const [index, event] of golden.input.entries()) {
      const emitted: Emitted[] = []
      try {
        await player.apply(event, index)
      } catch (error) {
        if (error instanceof Unsupported || error instanceof Mismatch) throw error
        const named = [RxweirError, InvariantViolation, FunctionFailed].some((kind) => error instanceof kind)
        if (!named || !golden.expected.some((each) => each['after'] === index && (each['kind'] === 'error' || each['kind'] === 'jobFailure')))
          throw new Mismatch(`step ${index} ${text(event)} threw ${String((error as Error)?.stack ?? error)}`)
        emitted.push({ kind: 'error' })
      }
      emitted.unshift(...(player.take?.() ?? []))
      compareStep(golden, index, emitted, player)
    }
  } finally {
    player.close?.()
  }
}

function compareStep(golden: Case, index: number, emitted: Emitted[], player: Player): void {
  const where = `step ${index} ${text(golden.input[index])}`
  const waited: Fields[] = []
  for (const expected of golden.expected) {
    if (expected['after'] !== index) continue
    const answer = player.answer?.(expected)
    if (answer === undefined) waited.push(expected)
    else {
      const wanted = Object.fromEntries(Object.keys(answer).map((name) => [name, expected[name]]))
      equal(`${where}: ${text(expected)}`, normal(wanted), normal(answer))
    }
  }
  compareOutputs(where, golden.order, waited.map(output), emitted.map(output))
}

/** The fields of an output that count. An error is an error: types and messages of another language say nothing here. */
function output(fields: Fields): Fields {
  const { after: _after, note: _note, kind, ...rest } = fields
  if (kind === 'error' || kind === 'jobFailure') return { kind: 'error' }
  if (kind === 'record' || kind === 'side')
    return normal({ kind, value: rest['value'], ts: rest['ts'], inst: rest['inst'], ...(kind === 'side' ? { tag: rest['tag'] } : {}) }) as Fields
  return normal({ kind, ...rest }) as Fields
}

/** `any-within-step`: records between two control elements are a multiset; where those stand always counts. */
export function compareOutputs(where: string, order: string | undefined, expected: readonly Fields[], emitted: readonly Fields[]): void {
  const exact = order === undefined || order === 'exact'
  equal(where, exact ? expected : sorted(expected), exact ? emitted : sorted(emitted))
}

function sorted(outputs: readonly Fields[]): Fields[] {
  const result: Fields[] = []
  let batch: Fields[] = []
  const flush = (): void => {
    result.push(
      ...batch
        .map((each) => [text(each), each] as const)
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([, each]) => each),
    )
    batch = []
  }
  for (const each of outputs) {
    if (each['kind'] !== 'watermark' && each['kind'] !== 'status') batch.push(each)
    else {
      flush()
      result.push(each)
    }
  }
  flush()
  return result
}

export function equal(where: string, expected: unknown, found: unknown): void {
  if (canonical(expected) !== canonical(found)) throw new Mismatch(`${where}\n      expected ${text(expected)}\n      found    ${text(found)}`)
}

/** Compares as a multiset where the case says that order is not owed. */
export function equalValues(where: string, compare: string | undefined, expected: unknown, found: unknown): void {
  const same = (value: unknown): unknown =>
    compare === 'multiset' && Array.isArray(value)
      ? value
          .map((part) => [canonical(part), part] as const)
          .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
          .map(([, part]) => part)
      : value
  equal(where, same(normal(expected)), same(normal(found)))
}

/** The order of names in an object does not count. */
export const canonical = (value: unknown): string => text(ordered(value))

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, ordered(part)]),
  )
}
