import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinTexts, splitTexts } from '../../lib/twin/textParts.js'

describe('texts that are joined', () => {
  test('are readable', () => {
    expect(joinTexts(['5', '"a"', '{"n":[1]}'])).toBe('[[1,3,9],5,"a",{"n":[1]}]')
    expect(joinTexts([])).toBe('[[]]')
  })

  test('fall apart again, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.json())), (texts) => {
        expect(splitTexts(joinTexts(texts))).toEqual(texts)
      }),
    )
  })

  test.each([
    '',
    '[',
    '[]',
    '[[1]',
    '[[1],]',
    '[[1],ab]',
    '[[2],a]',
    '[[-1],a]',
    '[[1] "a"]',
    '[[1,],5,]',
    '[[0]]',
    '[[1],a',
    '[["1"],a]',
    '{}',
    'null',
  ])('what was never written is refused: %s', (text) => {
    expect(() => splitTexts(text)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  })
})
