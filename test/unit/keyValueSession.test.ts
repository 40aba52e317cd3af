import { option as O } from 'fp-ts'
import { expect, it } from 'vitest'
import { chunksOf, must, publishOn, readAll, recover } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import { KeyValueSession } from '../../lib/keyValue/keyValueSession.js'
import { manualClock } from '../support/manualClock.js'
import { mapStore, Stored } from '../support/mapStore.js'

/** The session of a process of its own. */
const sessionOn = (stored: Stored): KeyValueSession =>
  new KeyValueSession(mapStore(stored), {
    job: jobName('job'),
    retainedCheckpoints: 2,
    clock: manualClock(),
    readOnly: false,
    closing: () => undefined,
  })

const row = (key: number) => ({ uid: 'a' as const, table: 'one' as const, key, deleted: false })

it('what a process wrote aside before it was fenced is not in what the next one writes aside, though nothing was published in between', async () => {
  const stored = new Stored()
  const first = sessionOn(stored)
  await publishOn(first, await recover(first), 1, [row(1)])
  await first.close()()
  const fenced = sessionOn(stored)
  await recover(fenced)
  // It looks before the other writes, and takes over behind that.
  const next = sessionOn(stored)
  const latest = await must(next.latest())
  const before = await readAll(O.isSome(latest) ? latest.value : expect.unreachable())
  const aside = fenced.begin(checkpointId(2), { whole: true })
  for (const chunk of chunksOf([row(2), row(3)], 2)) await must(aside.write(chunk))
  await must(next.takeOver(latest))
  const whole = await publishOn(next, { ...before, rows: new Map() }, 2, [row(3), row(4)], undefined, { whole: true })
  expect(await recover(sessionOn(stored))).toEqual(whole)
})
