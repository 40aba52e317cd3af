/**
 * A sink as a simulated process sees it: every call and every answer waits until the schedule lets it go on, some calls fail, and after
 * the death of the process nothing has an effect and nothing answers.
 */
import { either as E, option as O, type taskEither } from 'fp-ts'
import { SinkError } from '../../lib/errors.js'
import type { CommittedUpTo, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import type { Life } from './life.js'
import { asked, injected, type Port } from './port.js'

export interface SinkWatch {
  committed(life: Life, checkpointId: number | undefined): void
}

export function sinkIn(life: Life, sink: TransactionalSink<unknown>, watch: SinkWatch): TransactionalSink<unknown> {
  const port: Port<SinkError> = { life, kind: 'sink', failure: () => new SinkError('SINK_IO', injected) }
  return {
    commits: 'transactional',
    open: (context) => async () => {
      const opened = await (asked(port as Port<never>, 'sink open', sink.open(context)) as ReturnType<typeof sink.open>)()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(sinkWriterIn(port, opened.right, watch))
    },
  }
}

function sinkWriterIn(port: Port<SinkError>, writer: SinkWriter<unknown>, watch: SinkWatch): SinkWriter<unknown> {
  const { life } = port
  const ids = new Map<string, number>()
  let open = true
  return {
    committedUpTo: (): taskEither.TaskEither<SinkError, O.Option<CommittedUpTo>> => asked(port, 'sink committedUpTo', writer.committedUpTo()),
    abortOthers: () => asked(port, 'sink abortOthers', writer.abortOthers()),
    write(value, timestamp, key) {
      if (life.mark('record written')) writer.write(value, timestamp, key)
    },
    endOfInput() {
      if (!life.dead) writer.endOfInput?.()
    },
    full: () => !life.dead && writer.full(),
    drained: () => writer.drained(),
    preCommit(checkpointId) {
      if (life.dead) return () => new Promise<never>(() => {})
      const prepare = writer.preCommit(checkpointId)
      return () =>
        life.ask('sink', 'sink preCommit', async () => {
          const made = await prepare()
          if (E.isRight(made) && O.isSome(made.right)) ids.set(JSON.stringify(made.right.value), checkpointId)
          return made
        })
    },
    commit: (handle) => async () => {
      const fails = life.fault('sink')
      // The call got lost, or its answer did.
      const unheard = fails && life.world.random() < 0.5
      const answer = await life.ask('sink', 'sink commit', async () => {
        if (unheard) return E.left(port.failure())
        const committed = await writer.commit(handle)()
        if (E.isRight(committed)) watch.committed(life, ids.get(JSON.stringify(handle)))
        return committed
      })
      return fails && E.isRight(answer) ? E.left(port.failure()) : answer
    },
    close: () => () =>
      life.ask('sink', 'sink close', async () => {
        await writer.close()()
        if (open) life.open -= 1
        open = false
      }),
  }
}
