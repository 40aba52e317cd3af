import type { RowStore } from '../../lib/state/rowStore.js'
import { type Elements, Harness, type Kept } from './harness.js'
import { type Case, type Fields, plainValue, recordTime, unknown, watermarkTime } from './model.js'
import { type Emitted, play } from './play.js'

export interface Streaming {
  readonly inputs: number
  readonly tags?: readonly string[]
  /** Where it runs as one of several instances, `ownKey` is a key that belongs to this one. */
  build(inputs: readonly Elements[], ownKey?: string): Elements
  /** What functions told the case since the last call. */
  told?(): Emitted[]
  answer?(expected: Fields, tables: readonly RowStore<unknown>[]): Fields | undefined
}

/** Side outputs that a case names anywhere. */
export const tagsOf = ({ expected, config }: Case, more: readonly string[] = []): string[] => [
  ...new Set([
    ...more,
    ...expected.flatMap(({ kind, tag }) => (kind === 'side' ? [tag as string] : [])),
    ...['lateSideOutput', 'leftLateSideOutput', 'rightLateSideOutput'].flatMap((name) =>
      config[name] === undefined ? [] : [config[name] as string],
    ),
  ]),
]

/** Feeds elements, watermarks and checkpoints to an operator, and collects what it emits. */
export function stream(golden: Case, under: Streaming): Promise<void> {
  const harness = new Harness({ ...under, build: (inputs) => under.build(inputs) })
  const kept = new Map<string, Kept>()
  const input = (event: Fields): number => (event['input'] ?? (event['channel'] ?? 0) + 1) - 1
  return play(golden, {
    apply(event) {
      switch (event['op']) {
        case 'element':
          return harness.record(plainValue(event['value']), recordTime(event['ts']), input(event))
        case 'watermark':
          return harness.watermark(watermarkTime(event['ts']), input(event))
        case 'status':
          return harness.status(event['value'] === 'idle', input(event))
        case 'processingTime':
          return harness.processingTime(event['to'])
        case 'snapshot':
          return void kept.set(event['ref'], harness.snapshot())
        case 'restore': {
          const from = kept.get(event['from'])
          if (from === undefined) throw unknown('snapshot', event['from'])
          return harness.restore(from)
        }
        case 'checkpointComplete':
        case 'open':
          return
        case 'endInput':
        case 'finish':
          return harness.end()
        case 'close':
          return harness.close()
        default:
          throw unknown('operation', event['op'])
      }
    },
    take: () => [...harness.takeEmitted(), ...(under.told?.() ?? [])],
    ...(under.answer === undefined ? {} : { answer: (expected: Fields) => under.answer?.(expected, harness.tables()) }),
    close: () => harness.close(),
  })
}

/** How a case says what the key of a value is. */
export function keyOf(keyBy: unknown): (value: any) => any {
  const words = keyBy ?? 'constant key'
  if (typeof words !== 'string') throw unknown('key', keyBy)
  const at = /^value\[(\d+)\]$/.exec(words)
  if (at !== null) return (value) => value[Number(at[1])]
  if (words.startsWith('constant key')) return () => 'key'
  if (words === 'value' || words === 'identity') return (value) => value
  if (words === 'String(value)') return (value) => String(value)
  throw unknown('key', words)
}
