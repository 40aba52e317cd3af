/** How loud a line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a line says beside its message: names, numbers and codes, never what a record or a key holds. */
export interface LogFields {
  readonly [name: string]: string | number | boolean | readonly string[] | undefined
}

/** A logger as pino is one: fields first, then the message. `console` is one, too; {@link messageFirst} makes one of winston's. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** A logger that takes the message first, as winston does. */
export type MessageFirstLogger = { readonly [L in LogLevel]: (message: string, fields: LogFields) => void }

/**
 * A logger for {@link logRun} of one that takes the message first, such as winston's.
 *
 * @example Lines of a logger of one's own
 * ```ts
 * const lines: string[] = []
 * const line = (message: string, fields: LogFields) => lines.push(`${message} ${fields.checkpointId}`)
 * messageFirst({ debug: line, info: line, warn: line, error: line }).info({ checkpointId: 7 }, 'done')
 * lines // => ['done 7']
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export const messageFirst = (logger: MessageFirstLogger): Logger => ({
  debug: (fields, message) => logger.debug(message, fields),
  info: (fields, message) => logger.info(message, fields),
  warn: (fields, message) => logger.warn(message, fields),
  error: (fields, message) => logger.error(message, fields),
})
