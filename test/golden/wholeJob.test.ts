import { describe, expect, it } from 'vitest'
import { memory } from '../../backends/memory/memoryStorage.js'
import { jobName } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { readSavepoint, savepointLines, savepointOfLines } from '../../lib/processor/index.js'
import { recorded } from './recorded.js'
import { checkpointIn, storageWith, type WholeCheckpoint } from './wholeCheckpoint.js'
import { goOnFrom, type Results, runToSavepoint } from './wholeJob.js'

/** A checkpoint, and what the job makes behind it. */
interface Record extends WholeCheckpoint {
  readonly after: Results
}

const job = jobName('whole')

const written = async (): Promise<Record> => {
  const savepoint = await runToSavepoint()
  return { ...(await checkpointIn(savepoint, job)), after: await goOnFrom(savepoint) }
}

describe('the checkpoint of a job with state of every kind', () => {
  it('that an earlier release took is restored, and the job goes on as it did then', async () => {
    const record = await recorded('wholeJob', written)
    expect(await goOnFrom(await storageWith(job, record))).toEqual(record.after)
  })

  it('has the same body and the same rows as ever', async () => {
    expect(JSON.parse(JSON.stringify(await written()))).toEqual(await recorded('wholeJob', written))
  })

  it('that a newer release took is refused by name', async () => {
    const { body, ...record } = await recorded('wholeJob', written)
    const { format } = body as { readonly format: number }
    const newer = await storageWith(job, { ...record, body: { ...(body as object), format: format + 2 } as unknown as Json })
    await expect(goOnFrom(newer)).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: format + 2 } })
  })
})

describe('the lines of a savepoint', () => {
  const linesOf = async (from: CheckpointStorage): Promise<readonly string[]> => {
    const lines: string[] = []
    for await (const line of savepointLines(await readSavepoint(from, 'whole'))) lines.push(line)
    return [lines[0] as string, ...lines.slice(1).sort()]
  }
  const inLines = async () => ({ lines: await linesOf(await runToSavepoint()) })
  const fed = async function* (lines: readonly string[]) {
    yield* lines
  }

  it('that an earlier release wrote are made a savepoint, and the job goes on from it', async () => {
    const { lines } = await recorded('savepointLines', inLines)
    const target = memory()
    await savepointOfLines(target, fed(lines))
    expect(await goOnFrom(target)).toEqual((await recorded('wholeJob', written)).after)
  })

  it('are written as ever', async () => {
    expect(await inLines()).toEqual(await recorded('savepointLines', inLines))
  })

  it('that a newer release wrote are refused by name', async () => {
    const { lines } = await recorded('savepointLines', inLines)
    const [head, ...rows] = lines
    const newer = JSON.stringify({ ...(JSON.parse(head as string) as object), rxweir: 2 })
    await expect(savepointOfLines(memory(), fed([newer, ...rows]))).rejects.toMatchObject({
      code: 'FORMAT_NEWER',
      details: { found: 2, supported: 1 },
    })
  })
})
