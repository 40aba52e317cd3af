import { type ErrorClass, type ErrorCode, errorTable } from '../lib/errors.js'

/** What each class of errors means to the reader, in the order of the page. */
const classes: { readonly [C in ErrorClass]: string } = {
  ConfigurationError: 'The pipeline is assembled wrongly. Thrown while it is built, never while it runs.',
  StreamError: 'An element stream broke the protocol. The run ends before anything wrong is committed.',
  CheckpointError: 'One checkpoint failed. The stream goes on, and an event reports it.',
  BackendError: 'A storage failed. The current checkpoint is aborted; the last complete one is intact.',
  RestoreError: 'Recovery ends before the first record flows.',
  SourceError: 'A source failed while it was read.',
  SinkError: 'A sink failed while it was written or committed.',
}

const codes = Object.keys(errorTable) as ErrorCode[]
const entry = (code: ErrorCode): string =>
  `### ${code}\n\n${sentence(errorTable[code].meaning)}\n\n**What to do:** ${sentence(errorTable[code].hint)}\n`
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** The text of docs/errors.md. */
export function errorPage(): string {
  const sections = (Object.keys(classes) as ErrorClass[]).map((name) =>
    [`## ${name}\n\n${classes[name]}\n`, ...codes.filter((code) => errorTable[code].class === name).map(entry)].join('\n'),
  )
  return ['<!-- Generated from lib/errors.ts by `npm run docs`: edit the table, not this page. -->\n', '# Errors\n', intro, ...sections].join('\n')
}

const intro = `Every error of rxweir has a \`code\`, the \`details\` involved, a \`hint\` and, where there is one, a \`cause\`. Codes are API and do not
change their meaning; messages may. Errors of your own functions pass through as they are.
`
