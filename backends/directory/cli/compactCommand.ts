import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { Progress } from './progress.js'
import { bytesText } from './textTable.js'

export const compactCommand: Command = {
  name: 'compact',
  takes: ['DIR', '[JOB]'],
  says: 'merges the files of the newest checkpoint into one, in place, while no job runs there',
  options: {
    stopped: { type: 'boolean', says: 'the last run is known to have ended, though it crashed and could not say so' },
    newest: { type: 'boolean', says: 'give up older checkpoints, and remove what only they need' },
  },
  async run(call) {
    const [place, job] = call.positionals as readonly [string, string?]
    let progress: Progress | undefined
    try {
      const compacted = await call.places.compact(place, job, {
        stopped: call.flag('stopped'),
        newestOnly: call.flag('newest'),
        starts(bytes) {
          progress = new Progress(call.io, 'compact', bytes)
        },
        read: (bytes) => progress?.add(bytes),
      })
      progress?.end()
      if (call.json) await call.io.out(`${JSON.stringify(compacted)}\n`)
      else await call.io.out(textOf(compacted))
      return exitCodes.fine
    } finally {
      progress?.end()
    }
  },
}

function textOf(of: Awaited<ReturnType<Parameters<Command['run']>[0]['places']['compact']>>): string {
  const rows = (count: number): string => count.toLocaleString('en-US')
  const lines = [
    `job ${of.job}, checkpoint ${of.checkpointId}: ${of.segmentsBefore} segments became ${of.segmentsAfter}, ${rows(of.rowsBefore)} rows as written ${rows(of.rowsAfter)}, ${bytesText(of.bytesBefore)} ${bytesText(of.bytesAfter)}`,
  ]
  if (of.dropped.length > 0) lines.push(`given up: ${of.dropped.length === 1 ? 'checkpoint' : 'checkpoints'} ${of.dropped.join(', ')}`)
  const older = of.retained.slice(0, -1)
  if (older.length > 0)
    lines.push(
      `older, and as they were: ${older.length === 1 ? 'checkpoint' : 'checkpoints'} ${older.join(', ')}; what only they need goes with later checkpoints of the job, or with --newest`,
    )
  return `${lines.join('\n')}\n`
}
