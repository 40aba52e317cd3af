import type { Results } from './expected.js'

export interface Difference {
  readonly lost: number
  readonly doubled: number
  /** There once, but not what it should be, or not where. */
  readonly wrong: number
  /** The first few, in words. */
  readonly examples: readonly string[]
}

const examplesMax = 5

/** How what was committed differs from what should have been. Of the days only the set counts, of the rest the order per airport too. */
export function compare(committed: Results, expected: Results): Difference {
  const differences = [
    difference('running', committed.running, expected.running, { name: ({ id }) => `flight ${id}`, lane: ({ airport }) => airport }),
    difference('daily', committed.daily, expected.daily, { name: ({ airport, day }) => `${airport} on ${day}` }),
    difference('late', committed.late, expected.late, { name: ({ id }) => `flight ${id}`, lane: ({ origin }) => origin }),
  ]
  const sum = (figure: 'lost' | 'doubled' | 'wrong'): number => differences.reduce((total, each) => total + each[figure], 0)
  return { lost: sum('lost'), doubled: sum('doubled'), wrong: sum('wrong'), examples: differences.flatMap(({ examples }) => examples) }
}

interface Reading<T> {
  readonly name: (line: T) => string
  /** Lines of one lane keep the order of the flights. */
  readonly lane?: (line: T) => string
}

function difference<T>(sink: string, committed: readonly T[], expected: readonly T[], { name, lane }: Reading<T>): Difference {
  const found = { lost: 0, doubled: 0, wrong: 0, examples: [] as string[] }
  const note = (kind: 'lost' | 'doubled' | 'wrong', line: T, more = ''): void => {
    found[kind] += 1
    if (found.examples.length < examplesMax) found.examples.push(`${sink}: ${name(line)} is ${kind}${more}`)
  }
  const there = new Set(committed.map(name))
  const wanted = new Map(expected.map((line, index) => [name(line), { line, text: JSON.stringify(line), index }]))

  for (const [each, { line }] of wanted) if (!there.has(each)) note('lost', line)
  const seen = new Set<string>()
  const furthest = new Map<string, number>()
  for (const line of committed) {
    const each = name(line)
    const want = wanted.get(each)
    if (seen.has(each)) note('doubled', line)
    else if (want === undefined) note('wrong', line, ': nothing like it was expected')
    else if (JSON.stringify(line) !== want.text) note('wrong', line, `: found ${JSON.stringify(line)}, expected ${want.text}`)
    else if (lane !== undefined) {
      const before = furthest.get(lane(line)) ?? -1
      if (want.index < before) note('wrong', line, ': it comes after a later flight of its airport')
      furthest.set(lane(line), Math.max(before, want.index))
    }
    seen.add(each)
  }
  return found
}
