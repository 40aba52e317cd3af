import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/temporary.js'
import { bundled } from './bundled.js'
import type { CountingNews, CountingOrders } from './counting.js'
import { writeNumbers } from './countingJob.js'
import { started } from './started.js'

const manifest = fileURLToPath(new URL('../../package.json', import.meta.url))

/** Calls the program as a shell would, and answers its code and what it printed. */
async function called(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (err += text))
  child.stdin.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

it('the command line looks at the state of a job that another process goes on with, and disturbs nothing', async () => {
  const { bin } = JSON.parse(await readFile(manifest, 'utf8')) as { readonly bin: { readonly rxweir: string } }
  const source = bin.rxweir.replace('./dist/', '').replace('.js', '.ts')
  const [program, rxweir] = [await bundled('test/process/counting.ts'), await bundled(source)]
  const folder = await temporaryDirectory()
  await writeNumbers(folder, 500)
  const orders: CountingOrders = { folder, follow: true, checkpointMs: 10 }
  const job = started(program, [JSON.stringify(orders)])
  await job.message((news: CountingNews) => news.kind === 'saw' && news.number === 499)
  await job.message((news: CountingNews) => news.kind === 'checkpoint' && news.id >= 3)

  const state = `${folder}/checkpoints`
  // It publishes every 10 ms while all of this is read.
  expect(await called(rxweir, ['verify', state])).toMatchObject({ code: 0, err: '' })
  expect(await called(rxweir, ['inspect', state])).toMatchObject({ code: 0, out: expect.stringMatching(/^count +operator +rows +7 /m), err: '' })
  expect(await called(rxweir, ['savepoint', state, state])).toMatchObject({ code: 1, err: expect.stringContaining('SAVEPOINT_EXISTS') })

  expect(await called(rxweir, ['compact', state])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('BACKEND_IN_USE') })

  job.child.send('stop')
  await job.message((news: CountingNews) => news.kind === 'finished')
  expect(await job.ended).toMatchObject({ status: 0, errors: '' })

  expect(await called(rxweir, ['compact', state])).toMatchObject({ code: 0, err: '' })
  const lines = await called(rxweir, ['export', state])
  expect(lines).toMatchObject({ code: 0, err: '' })
  expect(await called(rxweir, ['import', `${folder}/copy`], lines.out)).toMatchObject({ code: 0, err: '' })
  expect(await called(rxweir, ['diff', state, `${folder}/copy`])).toEqual({ code: 0, out: '', err: '' })
  expect(await called(rxweir, ['get', `${folder}/copy`, 'count', 'rows', '3'])).toMatchObject({ code: 0, out: '{"key":3,"value":71}\n' })
  expect(await called(rxweir, ['lost'])).toMatchObject({ code: 2 })
})
