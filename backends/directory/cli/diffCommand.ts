import { differences, type RowDifference } from '../../../lib/processor/differences.js'
import type { SavepointReader } from '../../../lib/processor/savepointReader.js'
import { encodeTagged } from '../../../lib/taggedJson.js'
import { choosing } from './choosing.js'
import { exitCodes } from './cliIo.js'
import type { Command } from './command.js'
import { LineWriter } from './lineWriter.js'
import { Progress } from './progress.js'
import { valueText } from './rowText.js'

export const diffCommand: Command = {
  name: 'diff',
  takes: ['DIR', 'DIR'],
  says: 'what differs between the checkpoints of two directories, or two checkpoints of one; 1 where something does',
  options: {
    ...choosing,
    checkpoint: { type: 'string', value: 'N', says: 'of the first directory; the newest unless told' },
    to: { type: 'string', value: 'N', says: 'of the second directory; the newest unless told' },
  },
  async run(call) {
    const [first, second] = call.positionals as readonly [string, string]
    const job = call.text('job')
    const progress = new Progress(call.io, 'diff')
    const before = await call.places.read(first, { job, checkpoint: call.count('checkpoint'), progress })
    try {
      const after = await call.places.read(second, { job, checkpoint: call.count('to'), progress })
      try {
        const lines = new LineWriter(call.io, progress)
        let found = 0
        for (const line of besideRows(before, after, call.json)) {
          found += 1
          await lines.add(line)
        }
        for await (const row of differences(before, after)) {
          found += 1
          await lines.add(call.json ? jsonOf(row) : textOf(row))
        }
        await lines.end()
        return found === 0 ? exitCodes.fine : exitCodes.finding
      } finally {
        progress.end()
        await after.close()
      }
    } finally {
      await before.close()
    }
  },
}

/** Sources, operators and transactions. */
function* besideRows(before: SavepointReader, after: SavepointReader, json: boolean): Iterable<string> {
  const kinds = [
    ['source', (reader: SavepointReader) => reader.sources],
    [
      'operator',
      (reader: SavepointReader) =>
        reader.operators.map(({ uid, kind, states, watermark, ended }) => ({
          uid,
          kind,
          states: states.map(({ name }) => name).sort(),
          watermark: String(watermark),
          ended,
        })),
    ],
    [
      'transactions',
      (reader: SavepointReader) =>
        reader.transactions.map((transaction) => ({ ...transaction, uid: `${transaction.uid}@${transaction.epoch}.${transaction.checkpointId}` })),
    ],
  ] as const
  for (const [kind, of] of kinds) {
    const [was, is] = [before, after].map((reader) => new Map(of(reader).map((each) => [each.uid, JSON.stringify(each)]))) as [
      Map<string, string>,
      Map<string, string>,
    ]
    for (const uid of new Set([...was.keys(), ...is.keys()])) {
      const [from, to] = [was.get(uid), is.get(uid)]
      if (from === to) continue
      yield json ? `{"${kind}":${JSON.stringify(uid)},"before":${from ?? 'null'},"after":${to ?? 'null'}}` : signed(`${kind} ${uid}`, from, to)
    }
  }
}

const signed = (what: string, from: string | undefined, to: string | undefined): string =>
  from === undefined ? `+ ${what} ${to}` : to === undefined ? `- ${what} ${from}` : `~ ${what} ${from} -> ${to}`

function textOf({ uid, state, key, namespace, entry, before, after }: RowDifference): string {
  const parts = [
    encodeTagged(key),
    ...(namespace === undefined ? [] : [`in ${encodeTagged(namespace)}`]),
    ...(entry === undefined ? [] : [`at ${encodeTagged(entry)}`]),
  ]
  return signed(`${uid}/${state} ${parts.join(' ')}`, before?.text, after?.text)
}

function jsonOf({ uid, state, key, namespace, entry, before, after }: RowDifference): string {
  const parts = [`"uid":${JSON.stringify(uid)},"state":${JSON.stringify(state)},"key":${encodeTagged(key)}`]
  if (namespace !== undefined) parts.push(`"namespace":${encodeTagged(namespace)}`)
  if (entry !== undefined) parts.push(`"entry":${encodeTagged(entry)}`)
  if (before !== undefined) parts.push(`"before":${valueText(before.text)}`)
  if (after !== undefined) parts.push(`"after":${valueText(after.text)}`)
  return `{${parts.join(',')}}`
}
