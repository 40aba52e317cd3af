import { either as E, option as O } from 'fp-ts'
import { expect, it } from 'vitest'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { must } from '../../laws/storageHistory.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { type Primitives, webPrimitives } from '../../lib/sealing/primitives.js'
import { sealedSession } from '../../lib/sealing/sealedSession.js'
import { ValueCipher } from '../../lib/sealing/valueCipher.js'
import { chunkOf } from '../support/checkpoints.js'
import { encryption } from '../support/sealingKeys.js'

const orders = jobName('orders')

/** The primitives of the platform, but sealing fails when it is told to. */
function failing(): { readonly primitives: Primitives; fail: boolean } {
  const real = webPrimitives()
  const switched = {
    fail: false,
    primitives: {
      ...real,
      subkey: async (...asked: Parameters<Primitives['subkey']>) => {
        const subkey = await real.subkey(...asked)
        return {
          ...subkey,
          seal: (...sealed: Parameters<typeof subkey.seal>) =>
            switched.fail ? Promise.reject(new Error('the platform cannot seal now')) : subkey.seal(...sealed),
        }
      },
    },
  }
  return switched
}

async function opened(primitives: Primitives): Promise<{ readonly session: CheckpointSession; reopened(): Promise<CheckpointSession> }> {
  const store = new MemoryStore()
  const cipher = new ValueCipher({ encryption: encryption(1) }, [portableZlib], () => primitives)
  const open = async (): Promise<CheckpointSession> => {
    const inner = await must(memory({ store }).open(orders))
    const session = sealedSession(inner, { job: orders, cipher, tellsWriters: false, breathe: () => Promise.resolve() })
    await must(session.takeOver(await must(session.latest())))
    return session
  }
  const session = await open()
  return {
    session,
    reopened: async () => {
      await session.close()()
      return open()
    },
  }
}

const journalOf = (session: CheckpointSession) => must((session.journal as NonNullable<CheckpointSession['journal']>)())

it('behind an entry that could not be sealed a journal takes no more: those behind it would have other numbers than they are bound to', async () => {
  const platform = failing()
  const { session, reopened } = await opened(platform.primitives)
  const journal = await journalOf(session)
  await must(journal.append(['first']))
  platform.fail = true
  await expect(journal.append(['second'])()).rejects.toThrow('cannot seal')
  platform.fail = false
  await expect(journal.append(['third'])()).rejects.toThrow('cannot seal')

  const again = await journalOf(await reopened())
  await must(again.append(['second', 'third']))
  expect(await must(again.read(0, 10))).toEqual(['first', 'second', 'third'])
})

it('a checkpoint of which a chunk could not be sealed is never published, and the one after it is', async () => {
  const platform = failing()
  const { session, reopened } = await opened(platform.primitives)
  const broken = session.begin(checkpointId(1))
  platform.fail = true
  await expect(broken.write(chunkOf({ ada: '1' }))()).rejects.toThrow('cannot seal')
  platform.fail = false
  await expect(broken.write(chunkOf({ bob: '1' }))()).rejects.toThrow('cannot seal')
  await expect(broken.publish({ id: 1 })()).rejects.toThrow('cannot seal')
  await broken.abort()()
  expect(O.isNone(await must(session.latest()))).toBe(true)

  const whole = session.begin(checkpointId(2))
  await must(whole.write(chunkOf({ ada: '2' })))
  expect(E.isRight(await whole.publish({ id: 2 })())).toBe(true)
  const found = await must((await reopened()).latest())
  expect(O.isSome(found) && found.value.body).toEqual({ id: 2 })
})
