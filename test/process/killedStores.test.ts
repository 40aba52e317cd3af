import { expect, it } from 'vitest'
import { random } from '../../examples/flights/random.js'
import { temporaryDirectory } from '../support/temporary.js'
import { committedCounts, expectedCounts, writeNumbers } from './countingJob.js'
import { started } from './started.js'
import type { StoreNews } from './storeCounting.js'

const records = 2_000
const lives = 2
/** Other seeds: RXWEIR_SEED=7 npx vitest run test/process/killedStores.test.ts */
const seed = Number(process.env.RXWEIR_SEED ?? 1)

const program = 'test/process/storeCounting.ts'

it.each(['lmdb', 'level'])(`a process that is killed while it writes to its store in %s loses and doubles nothing (seed ${seed})`, async (store) => {
  const folder = await temporaryDirectory()
  await writeNumbers(folder, records)
  const draw = random(seed)
  for (let life = 0; life < lives; life++) {
    const { child, ended, message } = started(program, [folder, '50', store])
    const last = 1 + Math.floor(draw() * 8)
    // Right behind a checkpoint the next one is under way, and the commits of this one.
    await message<StoreNews>((news) => news.kind === 'checkpoint' && news.count === last)
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL', errors: '' })
  }
  const last = started(program, [folder, '1000', store])
  await last.message<StoreNews>(({ kind }) => kind === 'finished')
  expect(await last.ended).toMatchObject({ status: 0, errors: '' })
  expect(await committedCounts(folder)).toEqual(expectedCounts(records))
})
