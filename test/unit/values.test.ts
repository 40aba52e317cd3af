import { merge, of, Subject, take } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { AnyStream, Stream } from '../../lib/element.js'
import { mapValues } from '../../operators/mapValues.js'
import { records } from '../../operators/records.js'
import { values } from '../../operators/values.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: (source: Stream<number>): AnyStream<number> =>
    source.pipe(
      mapValues((n) => n + 1),
      values(),
      records(),
    ),
  inside: false,
  one: [4, [5]],
  many: [
    [1, 2],
    [2, 3],
  ],
})

describe('values', () => {
  test('emits values and nothing else', () => {
    const seen: unknown[] = []
    of('a')
      .pipe(records(), values())
      .subscribe((value) => seen.push(value))
    expect(seen).toEqual(['a'])
  })

  test('a value that is undefined is a value', () => {
    const seen: unknown[] = []
    of(undefined, null)
      .pipe(records(), values())
      .subscribe((value) => seen.push(value))
    expect(seen).toEqual([undefined, null])
  })

  test.each([
    ['a plain value', of('a'), 'STREAM_NOT_STARTED'],
    ['a stream that was cut by take', of('a', 'b').pipe(records(), take(2)), 'INPUT_CUT'],
    ['two streams that were merged', merge(of('a').pipe(records()), of('b').pipe(records())), 'STREAM_STARTED_TWICE'],
  ])('%s is an error with a code and a hint', (_name, stream, code) => {
    let failure: unknown
    values()(stream as never).subscribe({ error: (error) => (failure = error) })
    expect(failure).toMatchObject({ code, hint: expect.stringMatching(/.{20}/) })
  })

  test('stops reading when nobody listens', () => {
    const subject = new Subject<number>()
    subject.pipe(records(), values(), take(1)).subscribe()
    subject.next(1)
    expect(subject.observed).toBe(false)
  })
})
