import type { CliIo, ExitCode } from './cliIo.js'
import type { Places } from './places.js'

/** What a command was called with. */
export interface Call {
  readonly places: Places
  readonly io: CliIo
  readonly positionals: readonly string[]
  readonly json: boolean
  /** A value of an option; the last, where it was given several times. */
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** A whole number from 1. */
  count(name: string): number | undefined
}

export interface CommandOption {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  /** What stands for its value in the usage. */
  readonly value?: string
  readonly says: string
}

/** One word of the command line. */
export interface Command {
  readonly name: string
  /** What it is called with: `DIR UID STATE`. `...` behind a name: one or several. */
  readonly takes: readonly string[]
  readonly says: string
  readonly options: { readonly [name: string]: CommandOption }
  run(call: Call): Promise<ExitCode>
}
