import {
  atProcessEnd,
  cells,
  claimOf,
  claimText,
  deliveries,
  type HotName,
  hotCells,
  hotClaimOf,
  hotClaimText,
  hotKinds,
  type SinkClass,
  type SinkName,
  type SourceName,
  type StorageName,
  sinkKinds,
  sourceKinds,
  storageKinds,
} from './cells.js'

const row = (columns: readonly string[]): string => `| ${columns.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const names = <Name extends string>(kinds: { readonly [name in Name]: unknown }): readonly Name[] => Object.keys(kinds) as Name[]
const code = (name: string): string => `\`${name}\``

const sourceNames = names<SourceName>(sourceKinds)
const storageNames = names<StorageName>(storageKinds)
const sinkNames = names<SinkName>(sinkKinds)

const classes = (): string =>
  [
    table(
      ['source of a job', 'the same records can be read again'],
      sourceNames.map((name) => [code(name), sourceKinds[name].replays]),
    ),
    table(
      ['storage', 'keeps checkpoints', 'journal for hot Observables'],
      storageNames.map((name) => [code(name), storageKinds[name].keeps, storageKinds[name].journals ? 'yes' : 'no']),
    ),
    table(
      ['sink', 'a record is there', 'and stays', 'when a storage in memory is gone with its process'],
      sinkNames.map((name) => {
        const { commits, keeps }: SinkClass = sinkKinds[name]
        const end = atProcessEnd({ source: 'memorySource', storage: 'memory', sink: name })
        return [code(name), commits, keeps, end === undefined ? '–' : end === 'begins anew' ? end : code(end)]
      }),
    ),
  ].join('\n\n')

const matrix = (): string =>
  table(
    ['source × storage', ...sinkNames.map(code)],
    sourceNames.flatMap((source) =>
      storageNames.map((storage) => [
        `${code(source)} × ${code(storage)}`,
        ...sinkNames.map((sink) => {
          const cell = cells.find((each) => each.source === source && each.storage === storage && each.sink === sink)
          return cell === undefined ? '' : claimText(claimOf(cell))
        }),
      ]),
    ),
  )

const hotMatrix = (): string =>
  table(
    ['Observable × storage', ...Object.keys(deliveries).map((delivery) => `delivery ${code(delivery)}`)],
    names<HotName>(hotKinds).flatMap((hot) =>
      storageNames.map((storage) => [
        `${hot} × ${code(storage)}`,
        ...hotCells.filter((cell) => cell.hot === hot && cell.storage === storage).map((cell) => hotClaimText(hotClaimOf(cell))),
      ]),
    ),
  )

/** The parts of docs/guarantees.md that say what the cells say, by the name of the mark that each stands behind. */
export const generated = { classes, matrix, hotMatrix } as const

export const beginOf = (name: string): string => `<!-- ${name}: made of test/guarantees/cells.ts -->`
export const endOf = (name: string): string => `<!-- end of ${name} -->`

/** A page with each of its generated parts as it has to be. */
export const withGenerated = (page: string): string =>
  Object.entries(generated).reduce((text, [name, make]) => {
    const [begin, end] = [text.indexOf(beginOf(name)), text.indexOf(endOf(name))]
    if (begin < 0 || end < begin) throw new Error(`the page has no place for ${name}`)
    return `${text.slice(0, begin)}${beginOf(name)}\n\n${make()}\n\n${text.slice(end)}`
  }, page)
