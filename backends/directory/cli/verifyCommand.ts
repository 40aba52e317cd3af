import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { Progress } from './progress.js'
import { bytesText, textTable } from './textTable.js'
import { type Verified, verifyJob } from './verifyJob.js'

export const verifyCommand: Command = {
  name: 'verify',
  takes: ['DIR'],
  says: 'every checksum, whether all that checkpoints need is there, and what nobody needs; 1 where something is damaged',
  options: {
    job: { type: 'string', value: 'NAME', says: 'only this job' },
    strict: { type: 'boolean', says: 'what nobody needs is a finding, too' },
  },
  async run(call) {
    const [place] = call.positionals as readonly [string]
    const jobs = await call.places.jobs(place)
    const asked = call.text('job')
    const names = asked === undefined ? jobs.names : [asked]
    if (names.length === 0) {
      call.io.err(`rxweir verify: no job has state in ${place}\n`)
      return exitCodes.finding
    }
    const verified: Verified[] = []
    for (const name of names) {
      let progress: Progress | undefined
      const job = await verifyJob(call.places.folder(jobs.path, name), name, {
        starts: (bytes) => {
          progress?.end()
          progress = new Progress(call.io, `verify ${name}`, bytes)
        },
        read: (bytes) => progress?.add(bytes),
      })
      progress?.end()
      verified.push(job)
    }
    if (call.json) await call.io.out(`${JSON.stringify(verified)}\n`)
    else await call.io.out(verified.map(textOf).join('\n'))
    const isDamaged = verified.some(({ damage, unneeded }) => damage.length > 0 || (call.flag('strict') && unneeded.length > 0))
    return isDamaged ? exitCodes.finding : exitCodes.fine
  },
}

function textOf({ job, checkpoints, files, bytes, rows, damage, unneeded }: Verified): string {
  const read = `${files} files, ${bytesText(bytes)}, ${rows.toLocaleString('en-US')} rows as written`
  const state = damage.length > 0 ? 'DAMAGED' : 'fine'
  const parts = [`job ${job}: ${state} (${checkpoints} checkpoints; ${read})\n`]
  if (damage.length > 0)
    parts.push(
      textTable(
        ['damaged', 'code', ''],
        damage.map(({ file, code, reason }) => [file, code, reason]),
      ),
    )
  if (unneeded.length > 0)
    parts.push(
      textTable(
        ['not needed', ''],
        unneeded.map(({ file, reason }) => [file, reason]),
      ),
    )
  return parts.join('\n')
}
