/**
 * Processes that die: a job whose parts ask the real world, until its process is gone.
 *
 * **Invariants** From the instant of its death nothing that the process does has an effect, and nothing that it waits for answers. What it
 * had opened stays open until the test is over, as nobody closes anything for a process that was killed.
 */
import { either as E } from 'fp-ts'
import { Life } from '../../laws/simulation/life.js'
import type { World } from '../../laws/simulation/world.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'

/** Where a process dies: at an event whose name begins so, after so many of them. */
export interface Death {
  readonly at: string
  readonly after: number
}

export interface Process {
  readonly life: Life
  readonly died: Promise<'died'>
}

/** Nobody waits but for what was asked of the real world, and time stands still. */
const world = {
  nowMs: 1_000_000,
  random: () => 0.5,
  note() {},
  wait: (work: { paused(): boolean; run(): void }) => queueMicrotask(() => (work.paused() ? undefined : work.run())),
  call: () => () => {},
} as unknown as World

export function processOf(death: Death | undefined): Process {
  let tell: (how: 'died') => void = () => {}
  const died = new Promise<'died'>((resolve) => {
    tell = resolve
  })
  const life: Life = new Life(world, {
    ended() {
      life.die()
      tell('died')
    },
    happened() {},
    fault: () => false,
  })
  life.expect(death === undefined ? undefined : { how: 'kill', ...death })
  return { life, died }
}

/**
 * A storage in a process. The session stays the one that was opened, so that those who know it, as a state backend or a sink of the same
 * store do, find it; what the run asks of it is asked by the process.
 */
export function storageOf(life: Life, storage: CheckpointStorage, atEnd: (close: () => Promise<unknown>) => void): CheckpointStorage {
  const asking =
    <Args extends readonly unknown[], A>(label: string, call: (...args: Args) => () => Promise<A>) =>
    (...args: Args) =>
    () =>
      life.ask('storage', `storage ${label}`, () => call(...args)())
  const writerOf = (writer: CheckpointWriter): CheckpointWriter => ({
    write: asking('write', (chunk) => writer.write(chunk)),
    publish: asking('publish', (body, expired) => writer.publish(body, expired)),
    abort: asking('abort', () => writer.abort()),
  })
  const dying = (session: CheckpointSession): CheckpointSession => {
    const { latest, takeOver, hold, begin, journal, close } = session
    atEnd(() => close.call(session)())
    session.latest = asking('latest', () => latest.call(session))
    session.takeOver = asking('takeOver', (from, above) => takeOver.call(session, from, above))
    session.hold = asking('hold', (id) => hold.call(session, id))
    session.begin = (id, options) => writerOf(begin.call(session, id, options))
    session.close = () => () => (life.dead ? new Promise<never>(() => {}) : close.call(session)())
    if (journal !== undefined)
      session.journal = () => async () => {
        const opened = await journal.call(session)()
        if (E.isLeft(opened)) return opened
        const { append, read, trim } = opened.right
        return E.right(
          Object.assign(opened.right, {
            append: asking('append', (entries: readonly string[]) => append.call(opened.right, entries)),
            read: asking('read', (from: number, most: number) => read.call(opened.right, from, most)),
            trim: asking('trim', (before: number) => trim.call(opened.right, before)),
          }),
        )
      }
    return session
  }
  return {
    manifest: storage.manifest,
    open: (job, options) => async () => {
      const opened = await life.ask('storage', 'storage open', storage.open(job, options))
      return E.isLeft(opened) ? opened : E.right(dying(opened.right))
    },
  }
}

/** Tables that a process had are closed when the test is over. */
export const stateOf = (state: StateBackend, atEnd: (close: () => Promise<unknown>) => void): StateBackend => ({
  manifest: state.manifest,
  open: (job, run) => async () => {
    const opened = await state.open(job, run)()
    if (E.isRight(opened)) atEnd(opened.right.close())
    return opened
  },
})
