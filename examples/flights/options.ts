import { parseArgs } from 'node:util'

export interface Options {
  readonly records: number
  readonly kills: number
  readonly seed: number
  readonly checkpointMs: number
  /** Flights that arrive in a second. */
  readonly perSecond: number
  /** Where everything is kept; in a temporary folder otherwise. */
  readonly state: string | undefined
}

export const help = `npm start -- [options]

Kills a job with SIGKILL at random moments while it works through real flights, and proves that each one counted exactly once.

  --records N        how many flights; beyond 20,000 they repeat, 90 days later each time   (20000)
  --kills N          how many times the job is killed                                       (10)
  --seed N           which moments                                                          (1)
  --checkpoint-ms N  time between checkpoints                                               (25)
  --per-second N     flights that arrive in a second   (so many that each kill gets a quarter of a second, at most 50000)
  --state DIR        keeps the files in DIR, which must be new or empty                     (a temporary folder)
  --help             prints this

Exit status: 0 exactly once, 1 not, 2 wrong options.`

/** An option that cannot be; the message is for whoever typed it. */
export class WrongOption extends Error {}

const secondsPerKill = 0.25
const perSecondMax = 50_000

/** Reads the command line; answers nothing when help was asked for. */
export function options(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const
  let given: { readonly [name: string]: string | boolean | undefined }
  try {
    given = parseArgs({
      args: [...args],
      options: {
        records: text,
        kills: text,
        seed: text,
        'checkpoint-ms': text,
        'per-second': text,
        state: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new WrongOption((error as Error).message)
  }
  if (given.help === true) return undefined
  const whole = (name: string, fallback: number, least: number, most: number): number => {
    const found = given[name]
    if (found === undefined) return fallback
    const number = typeof found === 'string' && /^\d+$/.test(found) ? Number(found) : Number.NaN
    if (!(number >= least && number <= most))
      throw new WrongOption(`--${name} is ${JSON.stringify(found)}: expected a whole number from ${least} to ${most}`)
    return number
  }
  const records = whole('records', 20_000, 1, 5_000_000)
  const kills = whole('kills', 10, 0, 10_000)
  const live = Math.min(perSecondMax, Math.max(1, Math.ceil(records / ((kills + 1) * secondsPerKill))))
  if (given.state === '') throw new WrongOption('--state is empty: expected a folder')
  return {
    records,
    kills,
    seed: whole('seed', 1, 0, 4_294_967_295),
    checkpointMs: whole('checkpoint-ms', 25, 1, 60_000),
    perSecond: whole('per-second', live, 1, 10_000_000),
    state: typeof given.state === 'string' ? given.state : undefined,
  }
}
