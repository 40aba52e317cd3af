import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isAvailable } from '../../backends/directory/sealing/compression.js'
import { encryption } from '../support/sealingKeys.js'
import { asFixture, fromFixture, readDirectory, writeDirectory } from './directoryHistory.js'
import { livesContent } from './lives.js'

const fixture = (name: string): { readonly [path: string]: string } =>
  JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')).files

/** What every release has found in what any release wrote. */
const content = livesContent({ journals: true })

describe('a directory', () => {
  it('that an earlier release wrote is read', async () => {
    expect(await readDirectory(await fromFixture(fixture('directoryPlain')))).toEqual(content)
  })

  it('is written as ever where no option says otherwise, byte for byte', async () => {
    const written = asFixture(await writeDirectory())
    // What a run leaves to say that it has ended is new, and no reader needs it.
    const { '/state/orders/released-00000002': released, ...others } = written
    expect(others).toEqual(fixture('directoryPlain'))
    expect(released).toBe('')
  })

  const keys = { encryption: encryption(1, 2) }

  it('that an earlier release compressed and sealed is read', async () => {
    expect(await readDirectory(await fromFixture(fixture('directorySealed')), keys)).toEqual(content)
  })

  it.runIf(isAvailable('zstd'))('that was compressed with zstd is read', async () => {
    expect(await readDirectory(await fromFixture(fixture('directoryZstd')), keys)).toEqual(content)
  })

  it.runIf(!isAvailable('zstd'))('that was compressed with zstd is refused by name where Node has none', async () => {
    await expect(readDirectory(await fromFixture(fixture('directoryZstd')), keys)).rejects.toMatchObject({
      code: 'FORMAT_NEWER',
      details: { found: 'zstd' },
    })
  })
})
