/**
 * Finds users who do two things one after the other, while the two things to look for change.
 *
 * Flink's broadcast state with a `KeyedBroadcastProcessFunction`: the pattern arrives on a stream of its own, every user's state meets it, and
 * the side of the actions can only read it (the type says so). What a user did last is a `ValueState`.
 *
 * Which of two sources is read first is not promised: an action may come before the pattern that it would have matched, in Flink as here.
 * Where that matters, let both stand in one log; it has one order, and a replay after a crash repeats it. `main` does so.
 *
 *     npm run example -- dynamicPatterns
 */
import * as t from 'io-ts'
import { connectBroadcast, defineJob, emits, flatMapValues, keyBy, mapState, type Stream, valueState } from 'rxweir'
import { memory, memorySink, memorySource } from 'rxweir/backends/memory'

export const Pattern = t.type({ action1: t.string, action2: t.string })
export type Pattern = t.TypeOf<typeof Pattern>
export interface Action {
  readonly user: string
  readonly action: string
}

/** What was found, and by whom; a match has the pattern of its time. */
export interface Match {
  readonly user: string
  readonly pattern: Pattern
}

export const matches = (actions: Stream<Action>, patterns: Stream<Pattern>) =>
  actions.pipe(
    keyBy(({ user }) => user),
    connectBroadcast(
      'patterns',
      patterns,
      { broadcast: { patterns: mapState(t.literal('current'), Pattern) }, state: { lastAction: valueState(t.string) }, emits: emits<Match>() },
      {
        onBroadcast(pattern, { broadcast }) {
          broadcast.patterns.put('current', pattern)
        },
        onRecord({ action }, { key, broadcast, state, emit }) {
          const pattern = broadcast.patterns.get('current')
          if (pattern !== undefined && pattern.action1 === state.lastAction.value() && pattern.action2 === action) emit({ user: key, pattern })
          state.lastAction.update(action)
        },
      },
    ),
  )

/** Both kinds in one log. */
export const matchesOf = (log: Stream<Action | Pattern>) =>
  matches(log.pipe(flatMapValues((entry) => ('user' in entry ? [entry] : []))), log.pipe(flatMapValues((entry) => ('user' in entry ? [] : [entry]))))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  const log: readonly (Action | Pattern)[] = [
    { action1: 'login', action2: 'pay' },
    { user: 'Alice', action: 'login' },
    { user: 'Alice', action: 'pay' },
    { action1: 'login', action2: 'buy' },
    { user: 'Bob', action: 'login' },
    { user: 'Bob', action: 'buy' },
  ]
  const found = memorySink<Match>()
  const job = defineJob('dynamic-patterns', { storage: memory() }, ({ source, sink }) =>
    matchesOf(source('log', memorySource(log))).pipe(sink('found', found)),
  )
  await job.run().done
  for (const { user, pattern } of found.committed) print(`(${user},Pattern{action1='${pattern.action1}', action2='${pattern.action2}'})`)
}

if (process.argv[1] === import.meta.filename) await main()
