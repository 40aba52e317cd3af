import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { compare } from '../../examples/flights/compare.js'
import { expected } from '../../examples/flights/expected.js'
import { flights } from '../../examples/flights/flightsFile.js'
import { temporaryDirectory } from '../support/temporary.js'
import { started } from './started.js'

const main = 'examples/flights/main.ts'
const lastLine = (output: string): string | undefined => output.trimEnd().split('\n').at(-1)

it('real flights count exactly once although their process is killed', async () => {
  const { status, output, errors } = await started(main, ['--records', '2000', '--kills', '3', '--seed', '5']).ended
  expect(errors).toBe('')
  expect(lastLine(output)).toMatch(/^EXACTLY ONCE {2}records=2000 kills=3 checkpoints=\d+ lost=0 doubled=0$/)
  expect(output).toMatch(/killed 3 times: \d in mid-run, \d while recovering/)
  expect(status).toBe(0)
})

it('an interrupt ends the job and leaves nothing behind', async () => {
  const run = started(main, ['--records', '20000', '--kills', '0', '--per-second', '1000'])
  const [, folder = ''] = await run.says(/ in (\/\S+)\n/)
  expect(existsSync(folder)).toBe(true)
  run.child.kill('SIGINT')
  expect(await run.ended).toMatchObject({ status: 130 })
  expect(existsSync(folder)).toBe(false)
})

it('wrong options are refused in words, with status 2', async () => {
  const full = await temporaryDirectory()
  await writeFile(`${full}/something`, '')
  const refused = await Promise.all([
    started(main, ['--records', 'many']).ended,
    started(main, ['--speed', '3']).ended,
    started(main, ['--state', full]).ended,
  ])
  expect(refused.map(({ status }) => status)).toEqual([2, 2, 2])
  expect(refused[0]?.errors).toContain('--records is "many": expected a whole number from 1')
  expect(refused[1]?.errors).toContain("Unknown option '--speed'")
  expect(refused[2]?.errors).toContain('is not empty')
})

it('the comparison sees what is lost, doubled, changed or out of order', async () => {
  const wanted = expected(await flights(500))
  const { running, daily, late } = wanted
  expect(compare(wanted, wanted)).toEqual({ lost: 0, doubled: 0, wrong: 0, examples: [] })
  expect(compare({ ...wanted, running: running.slice(1) }, wanted)).toMatchObject({ lost: 1, doubled: 0, wrong: 0 })
  expect(compare({ ...wanted, daily: [...daily, daily[0]!] }, wanted)).toMatchObject({ lost: 0, doubled: 1, wrong: 0 })
  expect(compare({ ...wanted, late: late.map((flight) => ({ ...flight, delay: 0 })) }, wanted).wrong).toBeGreaterThan(0)
  const later = running.findIndex(({ airport, flights }) => airport === running[0]?.airport && flights === 2)
  const swapped = running.map((line, index) => (index === 0 ? running[later]! : index === later ? running[0]! : line))
  expect(compare({ ...wanted, running: swapped }, wanted)).toMatchObject({ lost: 0, doubled: 0, wrong: 1 })
  expect(compare({ ...wanted, daily: daily.toReversed() }, wanted)).toMatchObject({ lost: 0, doubled: 0, wrong: 0 })
})
