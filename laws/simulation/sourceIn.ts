/**
 * A source as a simulated process sees it: every call and every answer waits until the schedule lets it go on, some calls fail, and after
 * the death of the process nothing has an effect and nothing answers.
 */
import { either as E } from 'fp-ts'
import { SourceError } from '../../lib/errors.js'
import type { ReplayableSource, SourceReader } from '../../lib/ports/replayableSource.js'
import type { Life } from './life.js'
import { asked, injected, type Port } from './port.js'

export function sourceIn<T>(life: Life, source: ReplayableSource<T>): ReplayableSource<T> {
  const port: Port<SourceError> = { life, kind: 'source', failure: () => new SourceError('SOURCE_IO', injected) }
  return {
    offsets: 'replayable',
    deadLetters: source.deadLetters,
    open: (context) => async () => {
      const opened = await (asked(port as Port<never>, 'source open', source.open(context)) as ReturnType<typeof source.open>)()
      if (E.isLeft(opened)) return opened
      life.open += 1
      return E.right(readerIn(port, opened.right))
    },
  }
}

function readerIn<T>(port: Port<SourceError>, reader: SourceReader<T>): SourceReader<T> {
  const { life } = port
  let open = true
  return {
    start: reader.start,
    read: (recordsMax) => asked(port, 'source read', reader.read(recordsMax)),
    close: () => () =>
      life.ask('source', 'source close', async () => {
        await reader.close()()
        if (open) life.open -= 1
        open = false
      }),
  }
}
