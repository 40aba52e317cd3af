import { expect, test } from 'vitest'
import { sideOutput } from '../../operators/sideOutput.js'

test('a side output is its tag', () => {
  expect(sideOutput<number>('late').tag).toBe('late')
  expect(JSON.stringify(sideOutput<number>('late'))).toBe('{"tag":"late"}')
})
