/**
 * What is guaranteed, cell by cell: source × storage × sink.
 *
 * docs/guarantees.md shows these tables, and a test of each cell crashes it. Neither says anything that the other does not.
 */

export interface SourceClass {
  readonly replays: 'while it is kept' | 'when it is made again'
}

/** Where records come from in a job. */
export const sourceKinds = {
  memorySource: { replays: 'when it is made again' },
  jsonLines: { replays: 'while it is kept' },
  fileSource: { replays: 'while it is kept' },
  postgresSource: { replays: 'while it is kept' },
  ndjsonTail: { replays: 'while it is kept' },
  readableLines: { replays: 'when it is made again' },
  fromReadable: { replays: 'when it is made again' },
  fromAsyncIterable: { replays: 'when it is made again' },
} as const satisfies { readonly [name: string]: SourceClass }

export interface StorageClass {
  readonly keeps: 'for good' | 'until the process ends'
  /** It has a journal, which `checkpointed` can note values down in. */
  readonly journals: boolean
}

/** Where checkpoints go. */
export const storageKinds = {
  memory: { keeps: 'until the process ends', journals: true },
  directory: { keeps: 'for good', journals: true },
  lmdb: { keeps: 'for good', journals: false },
  level: { keeps: 'for good', journals: true },
  postgres: { keeps: 'for good', journals: false },
  indexeddb: { keeps: 'for good', journals: true },
} as const satisfies { readonly [name: string]: StorageClass }

export interface SinkClass {
  readonly commits: 'exactly once' | 'once by key' | 'at least once'
  readonly keeps: 'for good' | 'until the process ends'
  /** The one storage that it works with. */
  readonly storage?: 'postgres'
}

/** Where results go. `tapValues` is no sink: it is what a step does beside its result. */
export const sinkKinds = {
  memorySink: { commits: 'exactly once', keeps: 'until the process ends' },
  jsonLinesSink: { commits: 'exactly once', keeps: 'for good' },
  fileSink: { commits: 'exactly once', keeps: 'for good' },
  'postgresSink, storage': { commits: 'exactly once', keeps: 'for good', storage: 'postgres' },
  'postgresSink, ledger': { commits: 'exactly once', keeps: 'for good' },
  callbackSink: { commits: 'once by key', keeps: 'for good' },
  webhookSink: { commits: 'once by key', keeps: 'for good' },
  writableSink: { commits: 'once by key', keeps: 'for good' },
  tapValues: { commits: 'at least once', keeps: 'for good' },
} as const satisfies { readonly [name: string]: SinkClass }

export type SourceName = keyof typeof sourceKinds
export type StorageName = keyof typeof storageKinds
export type SinkName = keyof typeof sinkKinds

export interface Cell {
  readonly source: SourceName
  readonly storage: StorageName
  readonly sink: SinkName
}

export interface Claim {
  readonly commits: SinkClass['commits'] | 'refused'
  readonly holds: 'for good' | 'until the process ends'
}

const names = <Name extends string>(kinds: { readonly [name in Name]: unknown }): readonly Name[] => Object.keys(kinds) as Name[]

export const cells: readonly Cell[] = names(sourceKinds).flatMap((source) =>
  names(storageKinds).flatMap((storage) => names(sinkKinds).map((sink) => ({ source, storage, sink }))),
)

/** A guarantee is as strong as the weakest of the three. Every source of a job replays; it is an error where it no longer can. */
export function claimOf({ storage, sink }: Cell): Claim {
  const { commits, keeps, storage: only }: SinkClass = sinkKinds[sink]
  if (only !== undefined && only !== storage) return { commits: 'refused', holds: 'for good' }
  return { commits, holds: storageKinds[storage].keeps === 'for good' ? keeps : 'until the process ends' }
}

/** What a start finds when the process has ended that had the storage, the sink or both in its memory. */
export type AtProcessEnd =
  /** Nothing is restored: all of it comes again, to a sink that knows nothing of it or to one that knows it by its key. */
  | 'begins anew'
  /** The sink has results that the storage knows nothing of: the start is refused. */
  | 'SINK_AHEAD'
  /** The storage knows of results that the sink has lost: the start is refused. */
  | 'TRANSACTION_LOST'

export function atProcessEnd(cell: Cell): AtProcessEnd | undefined {
  if (claimOf(cell).holds === 'for good' || claimOf(cell).commits === 'refused') return undefined
  const sink: SinkClass = sinkKinds[cell.sink]
  if (storageKinds[cell.storage].keeps === 'for good') return 'TRANSACTION_LOST'
  return sink.commits === 'exactly once' && sink.keeps === 'for good' ? 'SINK_AHEAD' : 'begins anew'
}

export const claimText = ({ commits, holds }: Claim): string => (holds === 'for good' ? commits : `${commits}, ${holds}`)

export const cellName = (cell: Cell): string => `${cell.source} × ${cell.storage} × ${cell.sink}: ${claimText(claimOf(cell))}`

/** Cells whose world has a server. */
export const needsPostgres = ({ source, storage, sink }: Cell): boolean =>
  source === 'postgresSource' || storage === 'postgres' || sink === 'postgresSink, ledger'

// ---- what is hot

/** What an Observable that cannot be asked again is, behind `checkpointed`. */
export const hotKinds = {
  'hot, journal': { journal: true },
  'hot, no journal': { journal: false },
} as const

/** How results are handed out. */
export const deliveries = { withCheckpoint: 'once by id', immediate: 'at least once' } as const

export type HotName = keyof typeof hotKinds
export type DeliveryName = keyof typeof deliveries

export interface HotCell {
  readonly hot: HotName
  readonly storage: StorageName
  readonly delivery: DeliveryName
}

export interface HotClaim {
  /** What becomes of values that came since the newest checkpoint. */
  readonly values: 'kept' | 'lost since the newest checkpoint' | 'refused'
  readonly results: (typeof deliveries)[DeliveryName]
  readonly holds: Claim['holds']
}

export const hotCells: readonly HotCell[] = names(hotKinds).flatMap((hot) =>
  names(storageKinds).flatMap((storage) => names(deliveries).map((delivery) => ({ hot, storage, delivery }))),
)

export function hotClaimOf({ hot, storage, delivery }: HotCell): HotClaim {
  const { journals, keeps } = storageKinds[storage]
  const { journal } = hotKinds[hot]
  return { values: !journal ? 'lost since the newest checkpoint' : journals ? 'kept' : 'refused', results: deliveries[delivery], holds: keeps }
}

export function hotClaimText({ values, results, holds }: HotClaim): string {
  if (values === 'refused') return values
  const claim = values === 'kept' ? results : values
  return holds === 'for good' ? claim : `${claim}, ${holds}`
}

export const hotCellName = (cell: HotCell): string => `${cell.hot} × ${cell.storage} × ${cell.delivery}: ${hotClaimText(hotClaimOf(cell))}`
