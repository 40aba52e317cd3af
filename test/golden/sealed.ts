import { expect } from 'vitest'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { encryption, sealingKey } from '../support/sealingKeys.js'
import type { Row } from './lives.js'

/** How records were sealed: with a key of the tests, and shorter where that is worth it. */
export const sealing = { encryption: encryption(1), compression: 'zlib' } as const

/** A value that is shorter when it is compressed. */
export const compressible: readonly Row[] = [['long', 'the same again and again. '.repeat(100)]]

/**
 * What was sealed is never the same twice, so only reading is compared: it is refused without its key and with another one of its id,
 * and opened where it is listed beside one that seals now. Reading takes over, so that comes last.
 */
export async function opensWithItsKeyOnly<A>(read: (options: { readonly encryption?: SealingKeys }) => Promise<A>, content: A): Promise<void> {
  await expect(read({})).rejects.toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
  await expect(read({ encryption: encryption(2) })).rejects.toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
  await expect(read({ encryption: { keys: { k1: sealingKey(2) }, current: 'k1' } })).rejects.toMatchObject({ code: 'KEY_WRONG' })
  expect(await read({ encryption: encryption(1, 2) })).toEqual(content)
}
