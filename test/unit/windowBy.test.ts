import { expect, test } from 'vitest'
import { window } from '../../operators/window.js'
import { windowBy } from '../../operators/windowBy.js'

test('windowBy is window under a name that shadows nothing', () => {
  expect(windowBy).toBe(window)
})
