import { expect, it } from 'vitest'
import { random } from '../../examples/flights/random.js'
import { temporaryDirectory } from '../support/temporary.js'
import { bundled } from './bundled.js'
import type { CountingOrders } from './counting.js'
import { committedCounts, expectedCounts, writeNumbers } from './countingJob.js'
import { type Ended, started } from './started.js'

const records = 5_000
const lives = 10
/** Other seeds: RXWEIR_SEED=7 npx vitest run test/process/killAnywhere.test.ts */
const seed = Number(process.env.RXWEIR_SEED ?? 1)

it(`a process that is killed at any of its file operations loses and doubles nothing (seed ${seed})`, async () => {
  const folder = await temporaryDirectory()
  await writeNumbers(folder, records)
  const program = await bundled('test/process/counting.ts')
  const live = (dieAt?: number): Promise<Ended> => {
    const orders: CountingOrders = { folder, follow: false, checkpointMs: 1, recordsPerCheckpoint: 100, ...(dieAt === undefined ? {} : { dieAt }) }
    return started(program, [JSON.stringify(orders)]).ended
  }
  const draw = random(seed)
  // Few operations end in the recovery, more in the middle of a checkpoint.
  const dyingAt = Array.from({ length: lives }, () => 1 + Math.floor(draw() ** 2 * 60))
  for (const dieAt of dyingAt) expect(await live(dieAt), `killed at ${dyingAt}`).toMatchObject({ signal: 'SIGKILL', errors: '' })
  expect(await live()).toMatchObject({ status: 0, signal: null, errors: '' })
  expect(await committedCounts(folder)).toEqual(expectedCounts(records))
})
