/**
 * Upgrades the job of the flights in the middle, and proves that each flight counted exactly once all the same.
 *
 *     npm run example:upgrade -- --records 20000 --at 9000
 */
import { mkdir, readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { filter, firstValueFrom, race } from 'rxjs'
import type { Job } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { lmdb } from 'rxweir/backends/lmdb'
import { committed, linesOf } from './committed.js'
import { compare } from './compare.js'
import { expected, type Results } from './expected.js'
import type { Flight } from './flight.js'
import { flights, writeLines } from './flightsFile.js'
import { stateFolder } from './folder.js'
import { type Alert, firstRelease, secondRelease, veryLate } from './releases.js'
import { shown } from './shown.js'

const print = (text = ''): void => void process.stdout.write(`${text}\n`)
const before = 2
const after = 3
const instances = (of: number) => Array.from({ length: of }, (_, index) => ({ index, of }))

/** The first release up to the flight with the number `at`, and from its savepoints the second to the end. */
async function upgraded(folder: string, at: number): Promise<void> {
  const lines = `${folder}/flights.jsonl`
  const place = endOfLine(await readFile(lines), at)
  const savepoints = instances(before).map(({ index }) => directory(`${folder}/savepoints/${index}`))
  await Promise.all(
    instances(before).map(async (instance) => {
      const to = `${folder}/first/${instance.index}`
      const job = firstRelease({ instance, flights: lines, to, storage: directory(`${to}/checkpoints`) })
      // All instances stop behind the same flight: their savepoints are one cut.
      await job
        .run()
        .stop({ savepoint: savepoints[instance.index]!, at: (_uid, offset) => (offset as { readonly position: number }).position >= place })
    }),
  )
  await Promise.all(
    instances(after).map(async (instance) => {
      const to = `${folder}/second/${instance.index}`
      await mkdir(to, { recursive: true })
      const job = secondRelease({ instance, flights: lines, to, ...lmdb(`${to}/state`), restore: { from: savepoints } })
      if (instance.index === 0) await cutOff(job)
      // With the same options: the savepoints are not looked at once there is a checkpoint of its own.
      await job.run().done
    }),
  )
}

/** Lets a job come to its first checkpoint, and no further. */
async function cutOff(job: Job): Promise<void> {
  const run = job.run()
  await firstValueFrom(race(run.events$.pipe(filter(({ kind }) => kind === 'checkpointCompleted')), run.done))
  run.cancel()
}

function endOfLine(bytes: Uint8Array, number: number): number {
  let end = 0
  for (let line = 0; line < number; line++) end = bytes.indexOf(10, end) + 1
  return end
}

/** What all instances of both releases have written. */
async function written(folder: string): Promise<Results> {
  const folders = [...instances(before).map(({ index }) => `first/${index}`), ...instances(after).map(({ index }) => `second/${index}`)]
  const all = await Promise.all(folders.map((name) => committed(`${folder}/${name}`)))
  return { running: all.flatMap(({ running }) => running), daily: all.flatMap(({ daily }) => daily), late: all.flatMap(({ late }) => late) }
}

/** The alerts that are not as a plain loop over the flights since the upgrade has them. */
async function wrongAlerts(folder: string, since: readonly Flight[]): Promise<{ readonly lines: number; readonly wrong: number }> {
  const found = (await Promise.all(instances(after).map(({ index }) => linesOf<Alert>(`${folder}/second/${index}/alerts`)))).flat()
  const counts = new Map<string, number>()
  const wanted = since
    .filter(({ delay }) => delay >= veryLate)
    .map(({ id, origin }): Alert => {
      const number = (counts.get(origin) ?? 0) + 1
      counts.set(origin, number)
      return { id, airport: origin, number }
    })
  const texts = (alerts: readonly Alert[]) => [...alerts].sort((a, b) => a.id - b.id).map((alert) => JSON.stringify(alert))
  const [ours, theirs] = [texts(found), texts(wanted)]
  return {
    lines: found.length,
    wrong: Math.abs(ours.length - theirs.length) + theirs.filter((text, index) => ours[index] !== undefined && ours[index] !== text).length,
  }
}

async function prove(folder: string, records: number, at: number): Promise<boolean> {
  const all = await flights(records)
  await writeLines(`${folder}/flights.jsonl`, all)
  print(`${shown(records)} real flights. Behind flight ${shown(at)} the job is stopped with a savepoint, and a new release goes on from it:`)
  print()
  print('                first release           second release')
  print(`  instances     ${before}                       ${after}`)
  print('  checkpoints   in a directory          in LMDB')
  print('  state         { flights, sum }        { flights, sum, longest }, migrated')
  print(`  operators     delays, days            delays, days, veryLate (${veryLate} minutes)`)
  print()
  await upgraded(folder, at)
  const found = await written(folder)
  const wanted = expected(all)
  const { lost, doubled, wrong, examples } = compare(found, wanted)
  const alerts = await wrongAlerts(folder, all.slice(at))
  print('  committed     lines     in a run that nothing disturbs')
  for (const sink of ['running', 'daily', 'late'] as const)
    print(`  ${sink.padEnd(12)}  ${shown(found[sink].length).padEnd(8)}  ${shown(wanted[sink].length)}`)
  print(
    `  ${'alerts'.padEnd(12)}  ${shown(alerts.lines).padEnd(8)}  ${alerts.wrong === 0 ? 'as they should be since the upgrade' : `${alerts.wrong} differ`}`,
  )
  print()
  for (const example of examples) print(`  ${example}`)
  const same = lost + doubled + wrong + alerts.wrong === 0
  print(
    `${same ? 'SAME RESULT' : 'ANOTHER RESULT'}  records=${records} upgraded-at=${at} lost=${lost} doubled=${doubled} wrong=${wrong + alerts.wrong}`,
  )
  return same
}

const { values } = parseArgs({ options: { records: { type: 'string', default: '20000' }, at: { type: 'string' } } })
const records = Number(values.records)
const at = Number(values.at ?? Math.floor(records / 2))
if (Number.isInteger(records) && Number.isInteger(at) && records >= 1 && at >= 0 && at <= records) {
  const folder = await stateFolder(undefined)
  try {
    process.exitCode = (await prove(folder.path, records, at)) ? 0 : 1
  } finally {
    folder.leave()
  }
} else {
  process.stderr.write('npm run example:upgrade -- [--records N] [--at N]: whole numbers, and no more than there are flights\n')
  process.exitCode = 2
}
