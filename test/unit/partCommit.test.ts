import { expect, it } from 'vitest'
import { commitPart } from '../../backends/directory/partCommit.js'
import { committedName, pendingName } from '../../backends/directory/partFiles.js'
import { CrashFs } from '../../laws/crashFs.js'

const part = { epoch: 1, id: 2, bytes: 3, crc32: 0, lines: 1 } as unknown as Parameters<typeof commitPart>[2]

it('finds a part committed that a run before has renamed between two looks', async () => {
  const files = new CrashFs()
  await files.makeDirectory('/out')
  const file = await files.create(`/out/${pendingName(part)}`)
  await file.write(new Uint8Array(3), 0)
  await file.close()
  const size = files.size.bind(files)
  let looks = 0
  files.size = async (path) => {
    looks += 1
    if (looks === 2) await files.rename(`/out/${pendingName(part)}`, `/out/${committedName(part)}`)
    return size(path)
  }
  await commitPart(files, '/out', part, true)
  expect(await files.list('/out')).toEqual([committedName(part)])
})

it('says that a part is lost that is neither pending nor committed', async () => {
  const files = new CrashFs()
  await files.makeDirectory('/out')
  await expect(commitPart(files, '/out', part, true)).rejects.toMatchObject({ code: 'TRANSACTION_LOST' })
})
