/**
 * Kills a job at random moments while it works through real flights, and proves that each one counted exactly once.
 *
 *     npm start -- --seed 7 --kills 30 --records 200000
 */
import { committed } from './committed.js'
import { compare } from './compare.js'
import { expected } from './expected.js'
import { flights, writeLines } from './flightsFile.js'
import { type StateFolder, stateFolder } from './folder.js'
import { kills } from './kills.js'
import { Lives, NotProved } from './lives.js'
import { help, type Options, options, WrongOption } from './options.js'
import { ProgressBar } from './progress.js'
import { airportTable, shown } from './shown.js'

const print = (text = ''): void => void process.stdout.write(`${text}\n`)

async function prove({ records, kills: count, seed, checkpointMs, perSecond }: Options, folder: StateFolder): Promise<boolean> {
  const all = await flights(records)
  await writeLines(`${folder.path}/flights.jsonl`, all)
  const bar = new ProgressBar(process.stdout, { flights: records, kills: count })
  const lives = new Lives({ folder: folder.path, checkpointMs, perSecond }, (progress) => bar.show(progress))
  const leave = (status: number) => (): void => {
    lives.kill()
    bar.clear()
    folder.leave()
    process.exit(status)
  }
  const interrupted = leave(130)
  const terminated = leave(143)
  process.on('SIGINT', interrupted).on('SIGTERM', terminated)
  print(`${shown(records)} real flights, in the order of the schedule; they count from when they really left, so they are out of order.`)
  print('The job keeps a running mean delay per airport, a mean per airport and day, and sets aside what came too late for its day.')
  print(`It takes a checkpoint every ${checkpointMs} ms. Its process is killed ${count} times with SIGKILL, also while it recovers (seed ${seed}).`)
  print(`Flights arrive live, ${shown(perSecond)} a second, in ${folder.path}`)
  print()
  try {
    const lived = await lives.live(kills({ count, flights: records, seed }))
    bar.clear()
    print(
      `  killed ${lived.kills} times: ${lived.kills - lived.whileRecovering} in mid-run, ${lived.whileRecovering} while recovering; then it was left to finish`,
    )
    return await verdict(all, folder.path, lived)
  } finally {
    bar.clear()
    process.off('SIGINT', interrupted).off('SIGTERM', terminated)
  }
}

async function verdict(
  all: Parameters<typeof expected>[0],
  folder: string,
  lived: { readonly kills: number; readonly checkpoints: number },
): Promise<boolean> {
  const [found, wanted] = [await committed(folder), expected(all)]
  const { lost, doubled, wrong, examples } = compare(found, wanted)
  print(`  committed lines: ${shown(found.running.length)} running, ${shown(found.daily.length)} daily, ${shown(found.late.length)} late`)
  print()
  print(airportTable(found, wanted))
  print()
  for (const example of examples) print(`  ${example}`)
  const figures = `records=${all.length} kills=${lived.kills} checkpoints=${lived.checkpoints} lost=${lost} doubled=${doubled}`
  const exact = lost + doubled + wrong === 0
  print(exact ? `EXACTLY ONCE  ${figures}` : `NOT EXACTLY ONCE  ${figures} wrong=${wrong}`)
  return exact
}

async function main(): Promise<number> {
  const chosen = options(process.argv.slice(2))
  if (chosen === undefined) {
    print(help)
    return 0
  }
  const folder = await stateFolder(chosen.state)
  try {
    return (await prove(chosen, folder)) ? 0 : 1
  } finally {
    folder.leave()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof WrongOption || error instanceof NotProved)) throw error
  process.stderr.write(`${error.message}\n${error instanceof WrongOption ? 'See npm start -- --help\n' : ''}`)
  process.exitCode = error instanceof WrongOption ? 2 : 1
}
