import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeReadings } from '../readings.js'
import { type Compared, sideBySide, type Timed } from '../sideBySide.js'
import { type Pair, pairs } from './pairs.js'
import { type PlainPair, plainPairs } from './plainPairs.js'
import { runRxjs, runTwin } from './runPair.js'
import { runPlain } from './runPlainPair.js'

export type Form = 'without keys' | 'with keys' | 'without a job'

export interface TwinsRequest {
  readonly names: readonly { readonly name: string; readonly form: Form }[]
  readonly records: number
  readonly keys: number
  readonly measuredMs: number
  readonly repetitions: number
}

export interface TwinMeasurement extends Compared {
  readonly name: string
  readonly form: Form
}

interface Ways {
  rxjs(passes: number): Timed
  rxweir(passes: number): Timed | Promise<Timed>
}

/** Every pair there is, in each form that it has. */
export const twinsThere: readonly TwinsRequest['names'][number][] = [
  ...Object.keys(pairs).flatMap((name) => [
    { name, form: 'without keys' as const },
    { name, form: 'with keys' as const },
  ]),
  ...Object.keys(plainPairs).map((name) => ({ name, form: 'without a job' as const })),
]

/** Compares one pair after the other, in this process. */
export async function measureTwins({ names, records, keys, measuredMs, repetitions }: TwinsRequest): Promise<readonly TwinMeasurement[]> {
  const readings = makeReadings(records, keys)
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  let runs = 0
  const waysOf = ({ name, form }: TwinsRequest['names'][number]): Ways => {
    if (form === 'without a job') {
      const pair = plainPairs[name] as PlainPair
      return { rxjs: (passes) => runPlain(readings, passes, pair, 'rxjs'), rxweir: (passes) => runPlain(readings, passes, pair, 'twin') }
    }
    const pair = pairs[name] as Pair
    const keyed = form === 'with keys'
    const fresh = (): string => {
      runs += 1
      return join(folder, `${runs}`)
    }
    return {
      rxjs: (passes) => runRxjs({ readings, passes, keyed }, pair.rxjs),
      rxweir: (passes) => runTwin({ readings, passes, keyed }, pair.twin(), fresh()),
    }
  }
  try {
    const measured: TwinMeasurement[] = []
    for (const named of names) measured.push({ ...named, ...(await compared(named, waysOf(named), { records, measuredMs, repetitions })) })
    return measured
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** First each is run until it is compiled; so it is known how many passes take the time. */
async function compared(
  { name, form }: TwinsRequest['names'][number],
  ways: Ways,
  { records, measuredMs, repetitions }: { readonly records: number; readonly measuredMs: number; readonly repetitions: number },
): Promise<Compared> {
  ways.rxjs(1)
  await ways.rxweir(1)
  const slowerMs = Math.max(ways.rxjs(1).ms, (await ways.rxweir(1)).ms)
  const passes = Math.max(1, Math.ceil(measuredMs / slowerMs))
  const { rxjs, rxweir } = ways
  return sideBySide(`${name} ${form}`, { rxweir: () => rxweir(passes), rxjs: () => rxjs(passes) }, { records: records * passes, repetitions })
}
