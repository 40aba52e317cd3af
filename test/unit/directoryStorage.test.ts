import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { either as E, option as O } from 'fp-ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { CrashFs } from '../../laws/crashFs.js'
import { chance } from '../../laws/crashFsChoices.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import { chunksOf, must, publishOn, recover } from '../../laws/storageHistory.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import { modelOptions } from '../simulation/directoryModel.js'

const job = jobName('orders')
let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rxweir-directory-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

describe('the directory storage on a model of a file system', () => {
  let seed = 0
  const make = () => {
    const files = new CrashFs()
    const random = chance(seed++)
    const process = () =>
      directory('/state', { ...modelOptions(seed), files: asProcess(files, () => Math.floor(random() * 6)), compactAfterSegments: 3 })
    return { storage: process(), otherProcess: process }
  }
  for (const law of storageLaws(make, { twoProcesses: true })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 60 }))
})

describe('the directory storage on the file system of the machine', () => {
  const make = async () => {
    const path = await mkdtemp(join(root, 'case-'))
    return { storage: directory(path, { compactAfterSegments: 3 }), dispose: () => rm(path, { recursive: true, force: true }) }
  }
  for (const law of storageLaws(make, { twoProcesses: false })) it(`keeps the law ${law.name}: ${law.statement}`, () => law.check({ runs: 3 }))

  it('writes nothing when it is opened, and private files afterwards', async () => {
    const path = join(root, 'deep', 'state')
    const session = await must(directory(path).open(job))
    await must(session.latest())
    expect(await readdir(root)).toEqual([])
    await must(session.takeOver(O.none))
    const writer = session.begin(checkpointId(1))
    for (const chunk of chunksOf([{ uid: 'a', table: 'one', key: 1, deleted: false }], 1)) await must(writer.write(chunk))
    await must(writer.publish(null))
    expect((await stat(join(path, job))).mode & 0o777).toBe(0o700)
    for (const name of await readdir(join(path, job))) expect((await stat(join(path, job, name))).mode & 0o777).toBe(0o600)
    await session.close()()
  })

  it('refuses a directory that others may write to', async () => {
    const path = join(root, 'shared')
    await mkdir(path)
    await chmod(path, 0o777)
    const opened = await directory(path).open(job)()
    expect(E.isLeft(opened) && opened.left.code).toBe('BACKEND_NOT_OWNED')
    await chmod(path, 0o1777)
    const sticky = await must(directory(path).open(job))
    await sticky.close()()
  })

  it('sees one directory under two names as one', async () => {
    await mkdir(join(root, 'real'), { mode: 0o700 })
    await symlink(join(root, 'real'), join(root, 'alias'))
    const session = await must(directory(join(root, 'real')).open(job))
    const second = await directory(join(root, 'alias')).open(job)()
    expect(E.isLeft(second) && second.left.code).toBe('BACKEND_IN_USE')
    await session.close()()
  })

  it('never follows or replaces a file that stands where it creates one', async () => {
    await symlink(join(root, 'elsewhere'), join(root, 'planted'))
    await expect(nodeFiles.create(join(root, 'planted'))).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await nodeFiles.size(join(root, 'elsewhere'))).toBeUndefined()
  })

  it('restores many rows that went through merges', async () => {
    const storage = directory(root, { compactAfterSegments: 2, compactionKeysMax: 5 })
    const session = await must(storage.open(job))
    let expected = await recover(session)
    for (let id = 1; id <= 12; id++) {
      const changes = Array.from(
        { length: 8 },
        (_, index) => ({ uid: 'a', table: 'one', key: (id + index) % 9, deleted: (id * index) % 5 === 1 }) as const,
      )
      expected = await publishOn(session, expected, id, changes)
      await session.idle()()
    }
    await session.close()()
    const again = await must(storage.open(job))
    expect(await recover(again)).toEqual(expected)
    await again.idle()()
    const names = await readdir(join(root, job))
    expect(names.filter((name) => name.startsWith('segment-')).length).toBeLessThanOrEqual(8)
    expect(names.filter((name) => name.startsWith('temporary-'))).toEqual([])
    await again.close()()
  })
})
