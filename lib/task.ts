import { either, type taskEither } from 'fp-ts'

/** Runs a task of a port; its typed failure becomes the rejection. */
export async function unwrap<E, A>(task: taskEither.TaskEither<E, A>): Promise<A> {
  const result = await task()
  if (either.isLeft(result)) throw result.left
  return result.right
}
