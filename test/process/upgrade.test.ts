import { expect, it } from 'vitest'
import { started } from './started.js'

const upgrade = 'examples/flights/upgrade.ts'

it('an upgrade in the middle, of instances, backend, state and operators, changes nothing that is committed', async () => {
  const { status, output, errors } = await started(upgrade, ['--records', '1500', '--at', '700']).ended
  expect(errors).toBe('')
  expect(output).toMatch(/SAME RESULT {2}records=1500 upgraded-at=700 lost=0 doubled=0 wrong=0\n$/)
  expect(output).toMatch(/running +1,500 +1,500\n/)
  expect(status).toBe(0)
})

it('wrong options of an upgrade are refused in words', async () => {
  const { status, errors } = await started(upgrade, ['--records', '10', '--at', '11']).ended
  expect(status).toBe(2)
  expect(errors).toContain('--at N')
})
