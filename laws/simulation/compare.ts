import type { Seen } from './surface.js'
import type { Violation } from './violation.js'

/**
 * What has to agree between a run with crashes and one without: the whole sequence, the sequence of each key, or only which
 * records there are (where the result depends on how inputs interleave).
 */
export type Order = 'exact' | 'perKey' | 'multiset'

export function compare(uid: string, found: readonly Seen[], expected: readonly Seen[], order: Order): Violation[] {
  const violations: Violation[] = []
  const open = counts(expected)
  const known = new Set(open.keys())
  for (const record of found) {
    const name = nameOf(record)
    const left = open.get(name) ?? 0
    if (left > 0) open.set(name, left - 1)
    else
      violations.push({
        kind: known.has(name) ? 'DOUBLED' : 'STATE_DIFF',
        what: `${uid}: ${record.text} was committed ${known.has(name) ? 'too often' : 'but does not exist without crashes'}`,
      })
  }
  for (const [name, left] of open)
    if (left > 0) violations.push({ kind: 'LOST', what: `${uid}: ${name} is missing${left > 1 ? ` ${left} times` : ''}` })
  if (violations.length > 0 || order === 'multiset') return violations
  const expectedOf = byKey(expected, order)
  for (const [key, ours] of byKey(found, order)) {
    const theirs = expectedOf.get(key) ?? []
    const at = ours.findIndex((text, index) => text !== theirs[index])
    if (at >= 0) return [{ kind: 'REORDERED', what: `${uid}: ${key === '' ? '' : `of key ${key}, `}${ours[at]} came instead of ${theirs[at]}` }]
  }
  return []
}

/** What a reader saw stays: `before` is the beginning of `now`. */
export function keepsWhatWasSeen(uid: string, before: readonly Seen[], now: readonly Seen[]): Violation[] {
  const at = before.findIndex((record, index) => now[index] === undefined || nameOf(now[index]) !== nameOf(record))
  return at < 0 ? [] : [{ kind: 'PHANTOM', what: `${uid}: ${before[at]?.text} was seen committed, and later was not` }]
}

const nameOf = ({ key, text }: Seen): string => (key === '' ? text : `${key}: ${text}`)

function counts(records: readonly Seen[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const record of records) found.set(nameOf(record), (found.get(nameOf(record)) ?? 0) + 1)
  return found
}

function byKey(records: readonly Seen[], order: Order): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { key, text } of records) {
    const at = order === 'perKey' ? key : ''
    const texts = found.get(at)
    if (texts === undefined) found.set(at, [text])
    else texts.push(text)
  }
  return found
}
