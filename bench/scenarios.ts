/** What is compared with what. The first of each list is the job that the ratios are about: checkpoints to a directory at 1 s. */
export interface Scenario {
  readonly name: string
  readonly keys: number
  readonly subject: string
  /** The subject without checkpoints: their difference is what checkpoints cost. */
  readonly without: string
  /** Ratios: their name, and the variant that the subject is divided by. */
  readonly ratios: { readonly [name: string]: string }
  /** Stand in the table. */
  readonly alongside: readonly string[]
  /** Left out of a quick run, which would take too long: its figures are then null. */
  readonly slow: readonly string[]
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'keyedMean10k',
    keys: 10_000,
    subject: 'rxweir/directory-1s',
    without: 'rxweir/none',
    ratios: { vsMap: 'map', vsScan: 'scan', vsGroupBy: 'groupBy', vsDurableLoop: 'durable-loop' },
    alongside: ['map-immutable', 'rxweir/memory-1s', 'rxweir/directory-100ms', 'rxweir/lmdb-1s'],
    slow: [],
  },
  {
    name: 'keyedMean1M',
    keys: 1_000_000,
    subject: 'rxweir/directory-1s',
    without: 'rxweir/none',
    ratios: { vsMap: 'map', vsScan: 'scan', vsGroupBy: 'groupBy', vsDurableLoop: 'durable-loop' },
    alongside: ['map-immutable', 'rxweir/memory-1s', 'rxweir/directory-100ms', 'rxweir/lmdb-1s'],
    slow: ['scan', 'groupBy', 'durable-loop', 'rxweir/none', 'rxweir/lmdb-1s'],
  },
  {
    name: 'chain5',
    keys: 10_000,
    subject: 'chain-rxweir/directory-1s',
    without: 'chain-rxweir/none',
    ratios: { vsMap: 'chain-map', vsScan: 'chain-scan', vsGroupBy: 'chain-groupBy' },
    alongside: [],
    slow: ['chain-groupBy', 'chain-rxweir/none'],
  },
  {
    name: 'share5',
    keys: 10_000,
    subject: 'share-rxweir/directory-1s',
    without: 'share-rxweir/none',
    ratios: { vsScan: 'share-scan', vsGroupBy: 'share-groupBy' },
    alongside: [],
    slow: ['share-groupBy', 'share-rxweir/none'],
  },
  {
    name: 'windows',
    keys: 10_000,
    subject: 'windows-rxweir/directory-1s',
    without: 'windows-rxweir/none',
    ratios: { vsLoop: 'windows-loop' },
    alongside: [],
    slow: ['windows-rxweir/none'],
  },
  {
    name: 'sliding',
    keys: 10_000,
    subject: 'sliding-rxweir/directory-1s',
    without: 'sliding-rxweir/none',
    ratios: { vsLoop: 'sliding-loop' },
    alongside: [],
    slow: ['sliding-rxweir/none'],
  },
  {
    name: 'timers',
    keys: 10_000,
    subject: 'timers-rxweir/directory-1s',
    without: 'timers-rxweir/none',
    ratios: { vsLoop: 'timers-loop' },
    alongside: [],
    slow: ['timers-rxweir/none'],
  },
  {
    name: 'joins',
    keys: 10_000,
    subject: 'joins-rxweir/directory-1s',
    without: 'joins-rxweir/none',
    ratios: { vsLoop: 'joins-loop' },
    alongside: [],
    slow: ['joins-rxweir/none'],
  },
  {
    name: 'broadcast',
    keys: 10_000,
    subject: 'broadcast-rxweir/directory-1s',
    without: 'broadcast-rxweir/none',
    ratios: { vsWithLatestFrom: 'broadcast-withLatestFrom' },
    alongside: [],
    slow: ['broadcast-rxweir/none'],
  },
]

/** The variants of a scenario, in the order in which they run. */
export const variantsOf = ({ subject, without, ratios, alongside, slow }: Scenario, quick: boolean): readonly string[] =>
  [...Object.values(ratios), without, subject, ...(quick ? [] : alongside)].filter((variant) => !(quick && slow.includes(variant)))
