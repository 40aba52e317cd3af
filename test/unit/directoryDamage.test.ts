import { either as E, option as O } from 'fp-ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkHeader, fileHeader } from '../../backends/directory/fileHeader.js'
import { decodeManifest, encodeManifest } from '../../backends/directory/manifestFile.js'
import { CrashFs } from '../../laws/crashFs.js'
import { type Found, must, publishOn, readAll, recover, sameFound } from '../../laws/storageHistory.js'
import { BackendError } from '../../lib/errors.js'
import { jobName } from '../../lib/identity.js'
import { modelDirectory } from '../simulation/directoryModel.js'

const job = jobName('j')
let reference: CrashFs
let expected: Found

beforeAll(async () => {
  reference = new CrashFs()
  const session = await must(modelDirectory(reference, 1, { compactAfterSegments: 8 }).open(job))
  const first = await publishOn(session, await recover(session), 1, [{ uid: 'a', table: 'one', key: 0, deleted: false }])
  expected = await publishOn(session, first, 2, [{ uid: 'b', table: 'two', key: 1, deleted: false }])
  await session.idle()()
  await session.close()()
})

/** What is found in the damaged directory, or the error. Reading writes nothing. */
async function read(files: CrashFs): Promise<Found | BackendError> {
  const session = await must(modelDirectory(files, 1).open(job))
  try {
    const latest = await must(session.latest())
    return O.isSome(latest) ? await readAll(latest.value) : { checkpointId: 0, body: '', rows: new Map() }
  } catch (error) {
    if (error instanceof BackendError) return error
    throw error
  } finally {
    await session.close()()
  }
}

/** Damaged bytes are told by the name of their file, or make no difference. */
async function expectNoticed(path: string, bytes: Uint8Array): Promise<'noticed' | 'the same'> {
  const files = reference.settled()
  files.damage(path, bytes)
  const result = await read(files)
  if (!(result instanceof BackendError)) {
    if (!sameFound(result, expected)) throw new Error(`${path} was damaged, and checkpoint ${result.checkpointId} was read silently`)
    return 'the same'
  }
  expect(['SNAPSHOT_CORRUPT', 'FORMAT_NEWER']).toContain(result.code)
  expect(path.endsWith(String(result.details['file']))).toBe(true)
  return 'noticed'
}

describe('damage to a directory', () => {
  it('is noticed for every bit that flips', async () => {
    const counts = { noticed: 0, 'the same': 0 }
    for (const [path, bytes] of reference.contents())
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = bytes.slice()
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        counts[await expectNoticed(path, damaged)] += 1
      }
    expect(counts.noticed).toBeGreaterThan(5_000)
  })

  it('is noticed for every length that a file is cut to, and for bytes behind its end', async () => {
    for (const [path, bytes] of reference.contents()) {
      for (let length = 0; length < bytes.length; length++) await expectNoticed(path, bytes.slice(0, length))
      await expectNoticed(path, Uint8Array.of(...bytes, 0))
    }
  })

  it('is noticed when a file holds what belongs to another', async () => {
    const contents = [...reference.contents()]
    for (const [path, own] of contents) for (const [, other] of contents) if (other !== own) await expectNoticed(path, other)
  })

  it('is noticed in a segment whose own checksums fit', async () => {
    const [path, bytes] = [...reference.contents()].find(([name]) => name.includes('segment-')) as [string, Uint8Array]
    const forged = Buffer.from(bytes)
    const frame = forged.length - 4 - 4 - forged.readUInt32LE(18 + forged.readUInt16LE(16))
    forged.writeUInt8(forged.readUInt8(forged.length - 5) ^ 1, forged.length - 5)
    forged.writeUInt32LE(crc(forged.subarray(frame, forged.length - 4)), forged.length - 4)
    expect(await expectNoticed(path, forged)).toBe('noticed')
  })

  it('is noticed when a file is gone', async () => {
    const paths = [...reference.contents().keys()]
    for (const path of paths.filter((one) => one.includes('segment'))) {
      const files = reference.settled()
      await files.unlink(path)
      const result = await read(files)
      expect(result).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file: path.slice(path.lastIndexOf('/') + 1) } })
    }
    const files = reference.settled()
    for (const path of paths.filter((one) => one.includes('manifest'))) await files.unlink(path)
    expect(await read(files)).toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  })

  it('is not repaired and nothing is removed when it is found', async () => {
    const files = reference.settled()
    const [path, bytes] = [...files.contents()].find(([name]) => name.includes('segment')) as [string, Uint8Array]
    files.damage(path, bytes.slice(1))
    const before = [...files.contents().keys()]
    await read(files)
    expect([...files.contents().keys()]).toEqual(before)
  })
})

describe('a manifest', () => {
  const manifest = { job: 'j', seq: 1, parent: null, epoch: 1, checkpoint: null, retained: [] }

  it('of a newer format is refused by name', () => {
    const header = fileHeader('M')
    header.writeUInt16LE(7, 10)
    expect(() => checkHeader(Buffer.from(header), 'M', 'manifest-000000000001')).toThrow('SNAPSHOT_CORRUPT')
    // With a header whose checksum fits, as the newer release writes it.
    const newer = Buffer.from(encodeManifest(manifest))
    newer.writeUInt16LE(7, 10)
    newer.writeUInt32LE(crc(newer.subarray(0, 12)), 12)
    expect(() => decodeManifest(newer, 'manifest-000000000001')).toThrow('FORMAT_NEWER')
  })

  it('that names a file outside its folder is refused, though its digest fits', () => {
    for (const file of ['../../etc/passwd', '/etc/passwd', 'segment-1', 'segment-00000001-000000000001-000001-0123456/', '']) {
      const hostile = {
        ...manifest,
        checkpoint: { checkpointId: 1, epoch: 1, segments: [{ file, bytes: 1, sha256: '0'.repeat(64), rows: 1 }], body: null },
      }
      expect(() => decodeManifest(Buffer.from(encodeManifest(hostile)), 'manifest-000000000001')).toThrow('another shape')
    }
  })

  it('pollutes no prototype', () => {
    const body = JSON.parse('{"__proto__":{"polluted":1}}') as null
    const read = decodeManifest(Buffer.from(encodeManifest({ ...manifest, checkpoint: { checkpointId: 1, epoch: 1, segments: [], body } })), 'x')
    expect(JSON.stringify(read.checkpoint?.body)).toBe('{"__proto__":{"polluted":1}}')
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it('of another job is refused', async () => {
    const files = new CrashFs()
    const session = await must(modelDirectory(files, 1).open(job))
    await recover(session)
    await session.close()()
    const names = [...files.contents()].map(([path, bytes]) => [path.replace('/j/', '/k/'), bytes] as const)
    await files.makeDirectory('/state/k')
    for (const [path, bytes] of names) {
      const file = await files.create(path)
      await file.write(bytes, 0)
      await file.close()
    }
    const other = await must(modelDirectory(files, 1).open(jobName('k')))
    const latest = await other.latest()()
    expect(E.isLeft(latest) && latest.left.code).toBe('BACKEND_NOT_OWNED')
    await other.close()()
  })
})

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return (sum ^ 0xffffffff) >>> 0
}
