import { either as E, type taskEither } from 'fp-ts'
import { directory } from 'rxweir/backends/directory'
import { Stopwatch, type Timed } from '../sideBySide.js'
import { HandJournal } from './handJournal.js'

async function answer<A>(task: taskEither.TaskEither<Error, A>): Promise<A> {
  const found = await task()
  if (E.isLeft(found)) throw found.left
  return found.right
}

export interface Appended extends Timed {
  readonly bytes: number
}

type Groups = readonly (readonly string[])[]
const linesIn = (groups: Groups): string => `${groups.flat().length} lines`

/** Group after group, each written and synced before the next. */
export async function appendByHand(groups: Groups, folder: string): Promise<Appended> {
  const journal = await HandJournal.open(`${folder}.lines`, () => undefined)
  const stopwatch = new Stopwatch()
  stopwatch.begin()
  for (const group of groups) await journal.append(group)
  stopwatch.end()
  await journal.close()
  return { ...stopwatch.timed(linesIn(groups)), bytes: journal.bytes }
}

/** The same groups into the journal of a directory. */
export async function appendToJournal(groups: Groups, folder: string): Promise<Appended> {
  const session = await answer(directory(folder).open('journal' as never))
  await answer(session.takeOver(await answer(session.latest())))
  const opened = session.journal
  if (opened === undefined) throw new Error('a directory has a journal')
  const journal = await answer(opened.call(session))
  const stopwatch = new Stopwatch()
  stopwatch.begin()
  for (const group of groups) await answer(journal.append(group))
  stopwatch.end()
  const { bytes, end } = journal
  await session.close()()
  return { ...stopwatch.timed(`${end} lines`), bytes }
}
