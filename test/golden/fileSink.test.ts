import { readFileSync } from 'node:fs'
import { option } from 'fp-ts'
import { expect, it } from 'vitest'
import { encodeLines } from '../../backends/directory/rolling/encodeLines.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import { CrashFs } from '../../laws/crashFs.js'
import type { TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { finishedParts } from '../support/fileSinkTree.js'
import { checkpoint } from '../support/openedFileSink.js'
import { sinkContext } from '../support/ports.js'

it('a fileSink goes on with what an earlier release left', async () => {
  const { handle, files: left }: { handle: TransactionHandle; files: Record<string, string> } = JSON.parse(
    readFileSync(new URL('fileSink.json', import.meta.url), 'utf8'),
  )
  const files = new CrashFs()
  await files.makeDirectory('/out/.parts')
  for (const [name, text] of Object.entries(left)) {
    const file = await files.create(`/out/${name}`)
    await file.write(Buffer.from(text), 0)
    await file.close()
  }
  const sink = fileSink<string>('/out', { files, encode: encodeLines(), suffix: '.txt', bucket: () => 'day=2' })
  const writer = await unwrap(sink.open(sinkContext(2)))
  expect(await unwrap(writer.committedUpTo())).toEqual(option.some({ epoch: 1, checkpointId: 1 }))
  await unwrap(writer.commit(handle))
  await unwrap(writer.abortOthers())
  writer.write('d', undefined, undefined)
  writer.endOfInput?.()
  await checkpoint(writer, 3)
  await writer.close()()
  expect(Object.fromEntries(await finishedParts(files, '/out', ['day=1', 'day=2']))).toEqual({
    'day=1/part-000001-000000001.txt': 'a\nb\n',
    'day=2/part-000001-000000002.txt': 'c\nd\n',
  })
})
