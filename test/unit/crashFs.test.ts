import { describe, expect, it } from 'vitest'
import { CrashFs, type CrashFsOptions } from '../../laws/crashFs.js'
import { chance, choices } from '../../laws/crashFsChoices.js'
import type { OpenFile } from '../../lib/ports/fileLayer.js'

const text = (files: CrashFs, path: string): string | undefined => {
  const bytes = files.contents().get(path)
  return bytes === undefined ? undefined : String.fromCharCode(...bytes)
}
const bytes = (content: string): Uint8Array => Uint8Array.from(content, (letter) => letter.charCodeAt(0))

async function written(files: CrashFs, path: string, content: string): Promise<OpenFile> {
  const file = await files.create(path)
  await file.write(bytes(content), 0)
  return file
}

/** Everything that a file can be after a power cut at the end: its text, or undefined where its name is gone. */
function outcomes(files: CrashFs, path: string): ReadonlySet<string | undefined> {
  const cut = files.cutAt(files.cuts)
  return new Set([...choices(cut.pieces, chance(1), { allSubsetsMax: 14, eachMax: 0 })].map((survives) => text(cut.image(survives), path)))
}

const model = (options: CrashFsOptions = {}): CrashFs => new CrashFs({ sectorBytes: 2, ...options })

describe('after a power cut', () => {
  it('bytes without a sync last sector by sector, apart from their size', async () => {
    const files = model()
    await written(files, '/f', 'abcd')
    expect(outcomes(files, '/f')).toEqual(new Set([undefined, '', 'abcd', 'ab\0\0', '\0\0cd', '\0\0\0\0']))
  })

  it('a sync of the file keeps its bytes and not its name', async () => {
    const files = model()
    await (await written(files, '/f', 'abcd')).sync()
    expect(outcomes(files, '/f')).toEqual(new Set([undefined, 'abcd']))
    await files.syncDirectory('/')
    expect(outcomes(files, '/f')).toEqual(new Set(['abcd']))
  })

  it('a sync of the directory keeps the name and not the bytes', async () => {
    const files = model({ staleByte: 63 })
    await written(files, '/f', 'ab')
    await files.syncDirectory('/')
    expect(outcomes(files, '/f')).toEqual(new Set(['', '??', 'ab']))
  })

  it('what a failed sync covered may be lost for ever, though the next sync succeeds', async () => {
    const files = model()
    const file = await written(files, '/f', 'ab')
    await files.syncDirectory('/')
    files.faults = ({ name }) => (name === 'sync' ? { code: 'EIO' } : undefined)
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
    files.faults = undefined
    await file.sync()
    expect(outcomes(files, '/f')).toEqual(new Set(['', '\0\0', 'ab']))
  })

  it('a rename happened or did not, and a removed name may come back', async () => {
    const files = model()
    await (await written(files, '/a', 'x')).sync()
    await files.syncDirectory('/')
    await files.rename('/a', '/b')
    const cut = files.cutAt(files.cuts)
    const images = [true, false].map((lasts) => [
      ...cut
        .image(() => lasts)
        .contents()
        .keys(),
    ])
    expect(images).toEqual([['/b'], ['/a']])
    await files.unlink('/b')
    await files.syncDirectory('/')
    expect(files.cutAt(files.cuts).pieces).toBe(0)
  })

  it('a link has both names on one file', async () => {
    const files = model()
    await (await written(files, '/a', 'x')).sync()
    await files.link('/a', '/b')
    await expect(files.link('/a', '/b')).rejects.toMatchObject({ code: 'EEXIST' })
    await files.unlink('/a')
    await files.syncDirectory('/')
    expect(
      text(
        files.cutAt(files.cuts).image(() => false),
        '/b',
      ),
    ).toBe('x')
  })

  it('ordered names last as a prefix, and every sync commits them', async () => {
    const files = model({ mode: 'ordered' })
    for (const name of ['/a', '/b', '/c']) await files.create(name)
    const cut = files.cutAt(files.cuts)
    const images = new Set(
      [...choices(cut.pieces, chance(1), { allSubsetsMax: 10, eachMax: 0 })].map((survives) => [...cut.image(survives).contents().keys()].join('')),
    )
    expect(images).toEqual(new Set(['', '/a', '/a/b', '/a/b/c']))
    await (await files.create('/d')).sync()
    expect(
      [
        ...files
          .cutAt(files.cuts)
          .image(() => false)
          .contents()
          .keys(),
      ].join(''),
    ).toBe('/a/b/c/d')
  })

  it('a directory that was made is there with its parents', async () => {
    const files = model()
    await files.makeDirectory('/x/y')
    const image = files.cutAt(files.cuts).image(() => false)
    expect(await image.list('/x')).toEqual(['y'])
    expect(await image.list('/x/y')).toEqual([])
  })

  it('an earlier cut knows nothing of later operations, and an image is cut again', async () => {
    const files = model()
    await (await written(files, '/a', 'x')).sync()
    await files.syncDirectory('/')
    const early = files.cuts
    await (await written(files, '/b', 'y')).sync()
    const image = files.cutAt(early).image(() => true)
    expect([...image.contents().keys()]).toEqual(['/a'])
    await written(image, '/c', 'z')
    expect([
      ...image
        .cutAt(image.cuts)
        .image(() => false)
        .contents()
        .keys(),
    ]).toEqual(['/a'])
  })
})

describe('after the death of the process', () => {
  it('everything is there, and what was not synced may still be lost', async () => {
    const files = model()
    await written(files, '/f', 'ab')
    const after = files.afterProcessDeath()
    expect(text(after, '/f')).toBe('ab')
    expect(outcomes(after, '/f')).toContain(undefined)
    await files.unlink('/f')
    expect(text(after, '/f')).toBe('ab')
  })
})

describe('a call that fails', () => {
  it('for lack of room writes what fits first', async () => {
    const files = model({ bytesMax: 3 })
    const file = await files.create('/f')
    expect(await file.write(bytes('abcd'), 0)).toBe(3)
    await expect(file.write(bytes('d'), 3)).rejects.toMatchObject({ code: 'ENOSPC' })
    files.bytesMax = 4
    expect(await file.write(bytes('d'), 3)).toBe(1)
  })

  it('has the number of its place among all calls', async () => {
    const files = model()
    const seen: string[] = []
    files.faults = ({ number, name }) => {
      seen.push(`${number} ${name}`)
      return name === 'write' ? { bytesMax: 1 } : undefined
    }
    const file = await files.create('/f')
    expect(await file.write(bytes('ab'), 0)).toBe(1)
    await file.close()
    expect(seen).toEqual(['0 create', '1 write', '2 close'])
    await expect(file.close()).rejects.toMatchObject({ code: 'EBADF' })
    expect(files.openFiles).toBe(0)
  })
})
