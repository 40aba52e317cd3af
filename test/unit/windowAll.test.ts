import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { sideOutput } from '../../lib/sideOutput.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { countWindow } from '../../lib/window/countWindow.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { collect } from '../../operators/collect.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { windowAll } from '../../operators/windowAll.js'
import { fedWindow, joined } from '../support/fedWindow.js'
import { operatorCases } from '../support/operatorCases.js'

const all = windowAll('all', { assigner: tumbling({ sizeMs: 10 }), ...joined })
const timed = assignTimestamps({ timestamp: (text: string) => Number(text.slice(1)), watermarks: monotonousTimestamps() })

operatorCases<string, string>({
  operator: (source) => source.pipe(timed, all),
  one: ['a5', ['null 0-10 a5']],
  many: [
    ['a1', 'b9', 'a10', 'b12'],
    ['null 0-10 a1+b9', 'null 10-20 a10+b12'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      timed,
      windowAll('all', {
        assigner: tumbling({ sizeMs: 10 }),
        aggregate: joined.aggregate,
        result: () => {
          throw error
        },
      }),
    ),
})

describe('windowAll', () => {
  test('needs no keys and ignores those there are', async () => {
    const pairs = windowAll('pairs', { ...countWindow(2), reduce: (a: number, b: number) => a + b })
    expect(await collect(of(1, 2, 3, 4, 5).pipe(records(), pairs))).toEqual([3, 7])
    expect(
      await collect(
        of(1, 2, 3, 4).pipe(
          records(),
          keyBy((n) => n),
          pairs,
        ),
      ),
    ).toEqual([3, 7])
  })

  test('late records leave through the side output', () => {
    const late = sideOutput<string>('late')
    const fed = fedWindow(windowAll('all', { assigner: tumbling({ sizeMs: 10 }), late, ...joined }), { late })
    fed.put('a1').watermark(9)
    fed.put('b2')
    expect(fed.took()).toEqual(['null 0-10 a1'])
    expect(fed.late?.records.map(({ value }) => value)).toEqual(['b2'])
  })
})
