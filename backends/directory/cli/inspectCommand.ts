import { hasCode } from '../../../lib/errors.js'
import type { SavepointReader } from '../../../lib/processor/savepointReader.js'
import { encodeTagged } from '../../../lib/taggedJson.js'
import { exitCodes } from './cliIo.js'
import type { Call, Command } from './command.js'
import { type JobFiles, jobFiles } from './jobFiles.js'
import { Progress } from './progress.js'
import { type TableSize, tableSizes } from './tableSizes.js'
import { bytesText, textTable } from './textTable.js'

/** So often a job that goes on may move on while it is looked at. */
const attemptsMax = 5

export const inspectCommand: Command = {
  name: 'inspect',
  takes: ['DIR'],
  says: 'jobs, checkpoints, operators, states, rows, bytes, offsets and decided transactions',
  options: {
    job: { type: 'string', value: 'NAME', says: 'only this job' },
    checkpoint: { type: 'string', value: 'N', says: 'one of the retained checkpoints; the newest unless told' },
    quick: { type: 'boolean', says: 'do not count rows: reads no state' },
  },
  async run(call) {
    const [place] = call.positionals as readonly [string]
    const jobs = await call.places.jobs(place)
    const asked = call.text('job')
    const names = asked === undefined ? jobs.names : [asked]
    if (names.length === 0) {
      call.io.err(`rxweir inspect: no job has state in ${place}\n`)
      return exitCodes.finding
    }
    const found = []
    for (const name of names) found.push(await again(() => inspected(call, jobs.path, name)))
    if (call.json) await call.io.out(`${JSON.stringify(found)}\n`)
    else await call.io.out(found.map(textOf).join('\n'))
    return exitCodes.fine
  },
}

interface Inspected {
  readonly job: string
  readonly files: JobFiles
  readonly checkpoint: ReturnType<typeof shown> | undefined
  readonly tables: readonly TableSize[] | undefined
}

async function inspected(call: Call, path: string, job: string): Promise<Inspected> {
  const files = await jobFiles(call.places.folder(path, job))
  if (files.checkpoints.length === 0) return { job, files, checkpoint: undefined, tables: undefined }
  const reader = await call.places.read(path, { job, checkpoint: call.count('checkpoint') })
  let progress: Progress | undefined
  try {
    const bytes = files.checkpoints.find(({ checkpointId }) => checkpointId === reader.checkpointId)?.bytes
    const begins = (time: number): void => {
      progress?.end()
      progress = new Progress(call.io, `inspect ${job}${time === 1 ? '' : `, read ${time}`}`, bytes)
    }
    const tables = call.flag('quick') ? undefined : await tableSizes(reader, { begins, read: (more) => progress?.add(more) })
    return { job, files, checkpoint: shown(reader), tables }
  } finally {
    progress?.end()
    await reader.close()
  }
}

/** A job that goes on has removed what was looked at: it is looked at anew. */
async function again<A>(look: () => Promise<A>): Promise<A> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look()
    } catch (error) {
      if (attempt >= attemptsMax || !hasCode(error, 'BACKEND_FENCED')) throw error
    }
  }
}

const shown = ({ checkpointId, epoch, maxParallelism, instance, sources, operators, transactions }: SavepointReader) => ({
  checkpointId,
  epoch,
  maxParallelism,
  instance,
  sources,
  operators: operators.map(({ watermark, own: _own, ...operator }) => ({
    ...operator,
    watermark: Number.isFinite(watermark) ? watermark : String(watermark),
  })),
  transactions,
})

function textOf({ job, files, checkpoint, tables }: Inspected): string {
  const retained = files.checkpoints.map(({ checkpointId, segments, bytes }) => [String(checkpointId), segments, bytesText(bytes)])
  const parts = [`job ${job}: epoch ${files.epoch}, slot ${files.slot}, ${files.files} files, ${bytesText(files.bytes)}\n`]
  parts.push(retained.length === 0 ? 'no checkpoint is complete yet\n' : textTable(['checkpoint', 'segments', 'bytes'], retained))
  if (checkpoint === undefined) return parts.join('\n')
  const { checkpointId, epoch, maxParallelism, instance, sources, operators, transactions } = checkpoint
  const share = instance.of > 1 ? `, instance ${instance.index} of ${instance.of}` : ''
  parts.push(`checkpoint ${checkpointId}, taken in epoch ${epoch}${share}, ${maxParallelism} key groups\n`)
  parts.push(
    textTable(
      ['source', 'offset', ''],
      sources.map(({ uid, offset, finished }) => [uid, encodeTagged(offset), finished ? 'finished' : '']),
    ),
  )
  const rows = operators.flatMap(({ uid, kind, states, watermark, inFlight }) => {
    const notes = [...(watermark === '-Infinity' ? [] : [`event time ${watermark}`]), ...(inFlight === 0 ? [] : [`${inFlight} in flight`])].join(', ')
    if (states.length === 0) return [[uid, kind, '', '', '', '', notes]]
    return states.map(({ name }, at) => {
      const size = tables?.find((table) => table.uid === uid && table.state === name)
      const counted = tables === undefined ? ['', '', ''] : [size?.rows ?? 0, size?.writtenRows ?? 0, bytesText(size?.writtenBytes ?? 0)]
      return [at === 0 ? uid : '', at === 0 ? kind : '', name, ...counted, at === 0 ? notes : '']
    })
  })
  parts.push(textTable(['operator', 'kind', 'state', 'rows', 'written', 'bytes', ''], rows))
  parts.push(
    transactions.length === 0
      ? 'no transactions are decided\n'
      : textTable(
          ['decided transaction of', 'checkpoint', 'epoch'],
          transactions.map((each) => [each.uid, String(each.checkpointId), String(each.epoch)]),
        ),
  )
  return parts.filter((part) => part !== '').join('\n')
}
