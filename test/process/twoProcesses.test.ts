import { appendFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.js'
import { bundled } from './bundled.js'
import type { CountingNews, CountingOrders } from './counting.js'
import { committedCounts, expectedCounts, numbers, writeNumbers } from './countingJob.js'
import { type Started, started } from './started.js'

const counting = (program: string, folder: string): Started => {
  const orders: CountingOrders = { folder, follow: true, checkpointMs: 10 }
  return started(program, [JSON.stringify(orders)])
}
const kind = (wanted: CountingNews['kind']) => (news: CountingNews) => news.kind === wanted
const saw = (number: number) => (news: CountingNews) => news.kind === 'saw' && news.number === number

it('a second process takes the directory over, the first ends fenced, and what is committed is there once', async () => {
  const folder = await temporaryDirectory()
  const program = await bundled('test/process/counting.ts')
  await writeNumbers(folder, 500)
  const first = counting(program, folder)
  await first.message(kind('checkpoint'))
  await first.message(saw(499))

  const second = counting(program, folder)
  await second.message(kind('started'))
  // Both read on, and both would commit it.
  await appendFile(`${folder}/numbers.jsonl`, numbers(500, 1_000))
  await second.message(saw(999))
  expect(await first.message(kind('failed'))).toMatchObject({ code: 'BACKEND_FENCED' })

  expect(await first.ended).toMatchObject({ status: 1 })

  second.child.send('stop')
  await second.message(kind('finished'))
  expect(await second.ended).toMatchObject({ status: 0, errors: '' })
  expect(await committedCounts(folder)).toEqual(expectedCounts(1_000))
})
