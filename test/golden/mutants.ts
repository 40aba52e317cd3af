/** Cases of which one expectation was altered. A driver that passes one has not looked. */
import type { Case, Fields } from './model.js'

export interface Mutant {
  readonly change: string
  readonly golden: Case
}

/** What an operator owes by itself, at its step. Everything else answers a question, and a question asked elsewhere may have the same answer. */
const owed = ['record', 'side', 'watermark', 'status', 'error', 'jobFailure', 'block', 'resume', 'checkpoint', 'fire', 'queued', 'execute', 'failed']

/** The words of a question, and those of another language about an error. */
const words = ['after', 'kind', 'what', 'window', 'channel', 'domain']
const comments = ['note', 'type', 'message', 'error']

/** Every mutant of a case that differs in one value that is expected, in its step, or in that it is missing. */
export function mutantsOf(golden: Case): Mutant[] {
  const mutants: Mutant[] = []
  for (const [at, expectation] of golden.expected.entries()) {
    // The coordinator tells of it, and no operator: drivers leave it out.
    if (expectation['kind'] === 'abort') continue
    const isOwed = owed.includes(expectation['kind']) && expectation['inflight'] === undefined
    const add = (change: string, instead: readonly Fields[]): void => {
      const expected = golden.expected.flatMap((each, index) => (index === at ? instead : [each]))
      mutants.push({ change: `${at} ${change}`, golden: { ...golden, expected } })
    }
    if (isOwed) add('left out', [])
    for (const [path, altered] of alterations(expectation)) {
      const [field = ''] = path
      if (!comments.includes(field) && (isOwed || !words.includes(field))) add(path.join('.'), [altered as Fields])
    }
  }
  return mutants
}

/** A value with one of its parts altered, for each of its parts. */
function* alterations(value: unknown): IterableIterator<readonly [path: readonly string[], altered: unknown]> {
  if (Array.isArray(value)) {
    for (const [index, part] of value.entries())
      for (const [path, altered] of alterations(part)) yield [[String(index), ...path], value.map((each, at) => (at === index ? altered : each))]
    if (value.length === 0) yield [[], ['another']]
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      // One of several that may be, or a bound: another one is no mistake.
      if (/OneOf$|AtMost$/.test(name)) continue
      for (const [path, altered] of alterations(part)) yield [[name, ...path], { ...value, [name]: altered }]
    }
  } else yield [[], another(value)]
}

function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  return typeof value === 'string' && value !== 'MAX_LONG' && value !== 'MIN_LONG' ? `${value}~` : 17
}
