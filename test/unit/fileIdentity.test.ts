import { describe, expect, test } from 'vitest'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { CrashFs } from '../../laws/crashFs.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { temporaryDirectory } from '../support/temporary.js'

const layers: readonly (readonly [string, () => Promise<readonly [FileLayer, string]>])[] = [
  ['the file system of the machine', async () => [nodeFiles, await temporaryDirectory()]],
  ['the model of one', async () => [new CrashFs(), '']],
]

async function written(files: FileLayer, path: string, text: string): Promise<void> {
  const file = await files.create(path)
  await file.write(Buffer.from(text), 0)
  await file.close()
}

describe.each(layers)('on %s', (_name, make) => {
  test('a file stays itself while it is renamed and grows', async () => {
    const [files, folder] = await make()
    const file = await files.create(`${folder}/a`)
    await file.write(Buffer.from('one'), 0)
    const before = await files.identify(`${folder}/a`)
    expect(before).toMatchObject({ bytes: 3 })
    await files.rename(`${folder}/a`, `${folder}/b`)
    await file.write(Buffer.from('two'), 3)
    expect(await files.identify(`${folder}/b`)).toEqual({ id: before?.id, bytes: 6 })
    expect(await file.identify()).toEqual({ id: before?.id, bytes: 6 })
    await file.close()
  })

  test('a file that takes a name is another one', async () => {
    const [files, folder] = await make()
    await written(files, `${folder}/a`, 'one')
    await written(files, `${folder}/new`, 'one')
    const before = await files.identify(`${folder}/a`)
    const opened = await files.open(`${folder}/a`)
    await files.rename(`${folder}/new`, `${folder}/a`)
    expect((await files.identify(`${folder}/a`))?.id).not.toBe(before?.id)
    expect(await opened.identify()).toEqual(before)
    await opened.close()
  })

  test('what is missing or no file is told as nothing', async () => {
    const [files, folder] = await make()
    await files.makeDirectory(`${folder}/inner`)
    expect(await files.identify(`${folder}/none`)).toBeUndefined()
    expect(await files.identify(`${folder}/inner`)).toBeUndefined()
  })
})
