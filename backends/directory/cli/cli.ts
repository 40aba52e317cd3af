import { parseArgs } from 'node:util'
import { ConfigurationError, RxweirError } from '../../../lib/errors.js'
import { systemCodeOf } from '../failures.js'
import { type CliIo, type ExitCode, exitCodes } from './cliIo.js'
import type { Call, Command, CommandOption } from './command.js'
import { commands } from './commands.js'
import { Places } from './places.js'
import { UsageError } from './usageError.js'

/** Every command has these. */
const common: { readonly [name: string]: CommandOption } = {
  json: { type: 'boolean', says: 'for programs: JSON instead of tables' },
  config: { type: 'string', value: 'MODULE', says: 'a module with directoryOptions (keys of sealed files) or storage(place)' },
  help: { type: 'boolean', says: 'this text' },
}

/** Runs one command, and answers the code to exit with. Never rejects for what a person can mend. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const [word, ...rest] = args
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    await io.out(overview())
    return word === undefined ? exitCodes.usage : exitCodes.fine
  }
  const command = commands.find(({ name }) => name === word)
  if (command === undefined) {
    io.err(`rxweir: there is no command ${word}\n\n${overview()}`)
    return exitCodes.usage
  }
  const json = rest.includes('--json')
  try {
    return await called(command, rest, io)
  } catch (error) {
    return failed(error, command, io, json)
  }
}

async function called(command: Command, args: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = { ...command.options, ...common }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple }]) => [name, multiple === true ? { type, multiple } : { type }]),
      ),
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  if (values['help'] === true) {
    await io.out(usageOf(command))
    return exitCodes.fine
  }
  const isOpen = command.takes.at(-1)?.endsWith('...') === true
  const least = command.takes.filter((name) => !name.startsWith('[')).length
  if (positionals.length < least || (!isOpen && positionals.length > command.takes.length))
    throw new UsageError(`it takes ${command.takes.join(' ')}, and was called with ${positionals.length === 0 ? 'nothing' : positionals.join(' ')}`)
  const text = (name: string): string | undefined => ([values[name]].flat().at(-1) as string | undefined) ?? undefined
  const call: Call = {
    places: await Places.of(text('config')),
    io,
    positionals,
    json: values['json'] === true,
    text,
    texts: (name) => (values[name] === undefined ? [] : ([values[name]].flat() as string[])),
    flag: (name) => values[name] === true,
    count(name) {
      const found = text(name)
      if (found === undefined) return undefined
      if (!/^[1-9][0-9]{0,14}$/.test(found)) throw new UsageError(`--${name}: ${found} is no whole number from 1`)
      return Number(found)
    },
  }
  return command.run(call)
}

/** Says what went wrong, and what helps. */
function failed(error: unknown, command: Command, io: CliIo, json: boolean): ExitCode {
  if (error instanceof UsageError) {
    io.err(`rxweir ${command.name}: ${error.message}\n\n${usageOf(command)}`)
    return exitCodes.usage
  }
  // Whoever read the output has had enough.
  if (systemCodeOf(error) === 'EPIPE') return exitCodes.fine
  if (!(error instanceof RxweirError)) throw error
  const { code, hint, message, details, cause } = error
  if (json) io.err(`${JSON.stringify({ error: { code, message, hint, details } })}\n`)
  else
    io.err(`rxweir ${command.name}: ${message.replace(/ Hint: .*$/s, '')}\n  cause: ${causeOf(cause)}\n  hint:  ${hint}\n`.replace('  cause: \n', ''))
  return error instanceof ConfigurationError ? exitCodes.usage : exitCodes.finding
}

const causeOf = (cause: unknown): string => (cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '')

function overview(): string {
  const width = Math.max(...commands.map(({ name, takes }) => `${name} ${takes.join(' ')}`.length))
  const lines = commands.map(({ name, takes, says }) => `  ${`${name} ${takes.join(' ')}`.padEnd(width)}  ${says}`)
  return `rxweir COMMAND: looks at the checkpoints and savepoints of jobs, and makes new ones\n\n${lines.join('\n')}\n\nrxweir COMMAND --help tells the options. Nothing is written to a directory that has something in it, but by compact.\nExit codes: 0 fine, 1 a finding or a failure, 2 called wrongly.\n`
}

function usageOf({ name, takes, says, options }: Command): string {
  const all = Object.entries({ ...options, ...common }).map(([option, { value, says: meaning, multiple }]) => [
    `--${option}${value === undefined ? '' : ` ${value}`}${multiple === true ? ' ...' : ''}`,
    meaning,
  ])
  const width = Math.max(...all.map(([left = '']) => left.length))
  return `rxweir ${name} ${takes.join(' ')}\n  ${says}\n\n${all.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')}\n`
}
