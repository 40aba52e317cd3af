import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/temporary.js'
import { committedCounts, expectedCounts, writeNumbers } from './countingJob.js'
import { started } from './started.js'
import type { StoreNews } from './storeCounting.js'

const records = 1_000
const program = 'test/process/storeCounting.ts'

it.skipIf(process.platform === 'win32')(
  'a disk with no room left fails checkpoints with a code, and with room again nothing is lost or double',
  async () => {
    const folder = await temporaryDirectory()
    await writeNumbers(folder, records)
    // The system refuses to let any file grow further, as a full disk does.
    const limited = `ulimit -f 80; exec "$0" --import tsx "$@"`
    const child = spawn('sh', ['-c', limited, process.execPath, program, folder, '50'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const failure = await new Promise<StoreNews>((resolve, reject) => {
      child.on('message', (news: StoreNews) => {
        if (news.kind === 'aborted' || news.kind === 'failed') resolve(news)
      })
      child.once('close', () => reject(new Error('the process ended without a failure')))
    })
    // A write that is cut short in its middle is an error of input and output to LMDB.
    expect(['BACKEND_FULL', 'BACKEND_IO']).toContain((failure as { readonly cause: unknown }).cause)
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended

    const { message, ended: finished } = started(program, [folder, '1000'])
    await message<StoreNews>(({ kind }) => kind === 'finished')
    expect(await finished).toMatchObject({ status: 0, errors: '' })
    expect(await committedCounts(folder)).toEqual(expectedCounts(records))
  },
)
