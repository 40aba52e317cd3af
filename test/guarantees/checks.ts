import { ConfigurationError, RxweirError } from '../../lib/errors.js'
import type { TestDatabase } from '../postgres/database.js'
import {
  type AtProcessEnd,
  atProcessEnd,
  type Cell,
  type Claim,
  claimOf,
  type HotCell,
  hotClaimOf,
  hotKinds,
  needsPostgres,
  sinkKinds,
  storageKinds,
} from './cells.js'
import { hotOutcomeOf, keptWithoutJournal } from './hotLives.js'
import { everyDeath, type Lives, type Outcome, outcomeOf, type Parts, twoDeaths } from './lives.js'
import { type Counted, countedOf, readings, verdictOf } from './records.js'
import { targets } from './sinks.js'
import { sources } from './sources.js'
import { storages } from './storages.js'

export const partsOf = ({ source, storage, sink }: Cell): Parts => ({ source: sources[source], storage: storages[storage], target: targets[sink] })

/** Why an outcome is not what was promised; undefined where it is. */
export function broken(commits: Claim['commits'], { verdict, died, deaths }: Outcome): string | undefined {
  if (died !== deaths) return `only ${died} of ${deaths} processes died`
  const { lost, doubled, wrong, inOrder, byKey } = verdict
  const kept = (found: Omit<typeof verdict, 'byKey'>, what: string): string | undefined =>
    found.lost + found.doubled + found.wrong > 0 || !found.inOrder
      ? `${what}${found.lost} lost, ${found.doubled} doubled, ${found.wrong} wrong, ${found.inOrder ? 'in order' : 'out of order'}`
      : undefined
  if (commits === 'exactly once') return kept({ lost, doubled, wrong, inOrder }, '')
  // Who promises less has to be seen doing less: otherwise the table says too little.
  if (doubled === 0) return 'nothing came twice'
  if (commits === 'once by key') return kept(byKey, 'by key: ')
  return lost + wrong > 0 ? `${lost} lost, ${wrong} wrong` : undefined
}

/** What a source adds is an offset that is stored or is not: with one of them each storage and sink dies everywhere, and with the others less. */
const isWhole = ({ source }: Cell): boolean => source === 'jsonLines'
/** A process costs more where it has connections. An effect comes twice only where a checkpoint was not decided. */
const isDear = (cell: Cell): boolean =>
  needsPostgres(cell) && (cell.source !== 'postgresSource' || cell.storage !== 'postgres') && cell.sink !== 'tapValues'
const deathsOf = (cell: Cell): Lives['deaths'] => (isWhole(cell) ? everyDeath : isDear(cell) ? twoDeaths.slice(1) : twoDeaths)

/** Throws where a cell does not keep what the table says of it. */
export async function checkCell(cell: Cell, database?: TestDatabase): Promise<void> {
  const { commits } = claimOf(cell)
  const parts = partsOf(cell)
  if (commits === 'refused') {
    const error = await failureOf(outcomeOf(parts, { deaths: [], database }))
    if (!(error instanceof ConfigurationError && error.code === 'OPTION_INVALID')) throw error ?? new Error('it was not refused')
    return
  }
  const reason = broken(commits, await outcomeOf(parts, { deaths: deathsOf(cell), database }))
  if (reason !== undefined) throw new Error(reason)
  const expected = isWhole(cell) || !needsPostgres(cell) ? atProcessEnd(cell) : undefined
  const found = expected === undefined ? undefined : await foundAtProcessEnd(cell, database)
  if (found !== expected) throw new Error(`when its process has ended: expected ${expected}, found ${found}`)
}

/** After some complete checkpoints, whose results are committed. */
const later = { at: 'source read begins', after: 3 }

async function foundAtProcessEnd(cell: Cell, database?: TestDatabase): Promise<AtProcessEnd | string> {
  const ends: (keyof Parts)[] = []
  if (storageKinds[cell.storage].keeps !== 'for good') ends.push('storage')
  if (sinkKinds[cell.sink].keeps !== 'for good') ends.push('target')
  try {
    const { restored } = await outcomeOf(partsOf(cell), { deaths: [later], ends, database })
    return restored.every((id) => id === 0) ? 'begins anew' : `went on from ${restored}`
  } catch (error) {
    if (error instanceof RxweirError) return error.code
    throw error
  }
}

/** Throws where a cell of a hot Observable does not keep what the table says of it. */
export async function checkHotCell(cell: HotCell, database?: TestDatabase): Promise<void> {
  const { values, holds } = hotClaimOf(cell)
  const { journal } = hotKinds[cell.hot]
  const { delivery } = cell
  const lives = { storage: storages[cell.storage], journal, delivery, database }
  if (values === 'refused') {
    const error = await failureOf(hotOutcomeOf(lives))
    if (!(error instanceof ConfigurationError && error.code === 'STORAGE_WITHOUT_JOURNAL')) throw error ?? new Error('it was not refused')
    return
  }
  const outcome = await hotOutcomeOf(lives)
  const reason = brokenHot({ journal, delivery }, outcome)
  if (reason !== undefined) throw new Error(reason)
  if (holds === 'for good') return
  const { restored } = await hotOutcomeOf({ ...lives, ends: true })
  if (!restored.every((id) => id === 0)) throw new Error(`when its process has ended it went on from ${restored}`)
}

export function brokenHot(
  { journal, delivery }: { readonly journal: boolean; readonly delivery: HotCell['delivery'] },
  { seen, last }: Awaited<ReturnType<typeof hotOutcomeOf>>,
): string | undefined {
  const expected = countedOf(journal ? readings : keptWithoutJournal)
  const verdict = verdictOf(seen, expected)
  const { lost, doubled, wrong, inOrder } = verdict.byKey
  if (delivery === 'withCheckpoint')
    return verdict.doubled === 0
      ? 'nothing came twice'
      : lost + doubled + wrong > 0 || !inOrder
        ? `by id: ${lost} lost, ${doubled} doubled, ${wrong} wrong`
        : undefined
  if (journal) return verdict.doubled === 0 ? 'nothing came twice' : lost + wrong > 0 ? `${lost} lost, ${wrong} wrong` : undefined
  // Results of values that are lost were handed out at once; then it is as if the values had never come.
  if (wrong === 0) return 'nothing was lost'
  const textOf = (of: readonly Counted[]): string => JSON.stringify(of)
  return textOf(last) === textOf(expected.slice(-last.length)) ? undefined : `it ended with ${textOf(last)}`
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
