/** The command was called wrongly: told with the command's usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
