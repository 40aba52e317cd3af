import * as t from 'io-ts'

/** What the pipeline of every cell reads. */
export const Reading = t.type({ n: t.number, who: t.string })
export type Reading = t.TypeOf<typeof Reading>

/** What it writes: the reading, and how many of that name there were up to it. */
export interface Counted extends Reading {
  readonly count: number
}

const names = ['ada', 'bob', 'ada', 'cy', 'bob']

export const readings: readonly Reading[] = Array.from({ length: 16 }, (_, n) => ({ n, who: names[n % names.length] as string }))

export const countedOf = (all: readonly Reading[]): readonly Counted[] =>
  all.map((reading, index) => ({ ...reading, count: all.slice(0, index + 1).filter(({ who }) => who === reading.who).length }))

/** What a reader of a target sees of one record. */
export interface Seen {
  readonly value: Counted
  /** What it is known by, where the target has keys. */
  readonly key?: string
}

/** What became of the records, as a reader of the target counts them. */
export interface Verdict {
  readonly lost: number
  /** There more than once. */
  readonly doubled: number
  /** There, although no run without a crash would have made it. */
  readonly wrong: number
  readonly inOrder: boolean
  /** The same, when of each key only the first record counts. */
  readonly byKey: { readonly lost: number; readonly doubled: number; readonly wrong: number; readonly inOrder: boolean }
}

const textOf = ({ n, who, count }: Counted): string => `${n} ${who} ${count}`

function counted(values: readonly Counted[], expected: readonly Counted[]): Verdict['byKey'] {
  const times = new Map(expected.map((value) => [textOf(value), 0]))
  let wrong = 0
  for (const value of values) {
    const before = times.get(textOf(value))
    if (before === undefined) wrong += 1
    else times.set(textOf(value), before + 1)
  }
  const all = [...times.values()]
  return {
    lost: all.filter((count) => count === 0).length,
    doubled: all.filter((count) => count > 1).length,
    wrong,
    inOrder: values.every(({ n }, index) => index === 0 || n > (values[index - 1] as Counted).n),
  }
}

export function verdictOf(seen: readonly Seen[], expected: readonly Counted[]): Verdict {
  const keys = new Set<string>()
  const first = seen.filter(({ key }) => {
    if (key === undefined) return true
    const isNew = !keys.has(key)
    keys.add(key)
    return isNew
  })
  const values = (of: readonly Seen[]): readonly Counted[] => of.map(({ value }) => value)
  return { ...counted(values(seen), expected), byKey: counted(values(first), expected) }
}
