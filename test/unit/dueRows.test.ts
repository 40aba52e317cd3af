import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueRows } from '../../lib/state/dueRows.js'
import { Row } from '../../lib/state/row.js'

test('visits what is due in the order of time, and each once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(3))), fc.integer({ min: -20, max: 20 }), (entries, upToMs) => {
      const rows = [0, 1, 2, 3].map((key) => new Row<string>(key, undefined, ''))
      const due = new DueRows<string>()
      for (const [timeMs, row] of entries) due.add(timeMs, rows[row] as Row<string>)
      const visited: [number, unknown][] = []
      due.advance(upToMs, (timeMs, row) => visited.push([timeMs, row.key]))
      due.advance(Number.POSITIVE_INFINITY, (timeMs, row) => visited.push([timeMs, row.key]))
      const once = [...new Map(entries.map((entry) => [entry.join(), entry])).values()]
      expect(visited.map(([timeMs]) => timeMs)).toEqual(once.map(([timeMs]) => timeMs).sort((a, b) => a - b))
      expect(new Set(visited.map((each) => each.join()))).toEqual(new Set(once.map((each) => each.join())))
    }),
  )
})

test('nothing before its time', () => {
  const due = new DueRows<string>()
  const visited: number[] = []
  due.add(5, new Row('k', undefined, ''))
  due.advance(4, (timeMs) => visited.push(timeMs))
  expect(visited).toEqual([])
  due.advance(5, (timeMs) => visited.push(timeMs))
  due.advance(5, (timeMs) => visited.push(timeMs))
  expect(visited).toEqual([5])
})

test('what is added while it visits joins in when it is due', () => {
  const due = new DueRows<string>()
  const row = new Row<string>('k', undefined, '')
  const visited: number[] = []
  due.add(1, row)
  due.advance(10, (timeMs) => {
    visited.push(timeMs)
    if (timeMs < 15) due.add(timeMs + 4, row)
  })
  expect(visited).toEqual([1, 5, 9])
})
