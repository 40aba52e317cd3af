import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import { bufferedCodec, keptIn } from '../../lib/twin/buffered.js'
import { countedCodec } from '../../lib/twin/countedCodec.js'
import { lastCodec } from '../../lib/twin/lastCodec.js'
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
    '[[1]xa]',
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

describe('what twins have stored is read for ever', () => {
  const any = stateCodec(json<unknown>())

  test('an accumulation with its index', () => {
    const stored = '[[1,7],3,{"n":4}]'
    expect(countedCodec(any).fromText(stored, 1)).toEqual({ index: 3, value: { n: 4 } })
    expect(countedCodec(any).toText({ index: 3, value: { n: 4 } })).toBe(stored)
  })

  test('the last value', () => {
    expect(lastCodec(any).fromText('{"$undefined":true}', 1)).toEqual({ value: undefined })
  })

  test('what is buffered, behind how many have come', () => {
    const stored = '[[1,3,1],5,"a",2]'
    const state = bufferedCodec(any).fromText(stored, 1)
    expect({ index: state.index, values: keptIn(state) }).toEqual({ index: 5, values: ['a', 2] })
    expect(bufferedCodec(any).toText(state)).toBe(stored)
  })
})
