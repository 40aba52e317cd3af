/**
 * The bodies of several instances' savepoints, as one instance of a new number of them begins with it.
 *
 * The savepoints have to be one cut: all instances had read the same. What every instance did alike is taken from one; what each did for
 * keys of its own is put together.
 */
import { byName, type CheckpointBody, instanceOf } from '../checkpointBody.js'
import { RestoreError } from '../errors.js'
import type { InstanceShare } from '../instanceShare.js'
import type { Json } from '../json.js'
import { storedTime, timeStored } from '../storedTime.js'
import type { Redistribution } from './redistribution.js'
import type { KnownProgram, Part } from './restored.js'

/** What the shell of an operator stores beside its rows (stageRun.ts). */
export interface OperatorMeta {
  readonly time: readonly [Json, Json, boolean]
  readonly ended: boolean
  readonly inputs?: Json
  readonly inFlight?: Json
  readonly state?: Json
  /** What becomes of its tables in another number of instances; false where every instance has all. Of older checkpoints nobody says. */
  readonly split?: false | { readonly [table: string]: Redistribution }
  readonly tables: { readonly [name: string]: Json }
}

export function mergedBody(
  parts: readonly Part[],
  { program, share, uidOf }: { program: KnownProgram; share: InstanceShare; uidOf(uid: string): string | undefined },
): CheckpointBody {
  const bodies = inOrder(parts)
  const [first] = bodies as readonly [CheckpointBody, ...CheckpointBody[]]
  for (const body of bodies) {
    for (const uid of new Set([...Object.keys(first.sources), ...Object.keys(body.sources)]))
      if (!same(first.sources[uid], body.sources[uid])) throw new RestoreError('CUTS_DIFFER', { uid, instance: instanceOf(body).index })
    for (const [uid, pending] of Object.entries(body.sinks))
      if (pending.length > 0) throw new RestoreError('TRANSACTIONS_PENDING', { uid, instance: instanceOf(body).index, transactions: pending.length })
  }
  const anySplit = [...program.participants.values()].some(({ isSplit }) => isSplit)
  const uids = new Set(bodies.flatMap(({ operators }) => Object.keys(operators)))
  const operators = [...uids].map((old) => {
    const found = bodies.flatMap(({ operators }) => operators[old] ?? [])
    const metas = found.map(({ meta }) => meta as unknown as OperatorMeta)
    const participant = program.participants.get(uidOf(old) ?? '')
    if (participant?.isSplit === false && anySplit) requireOneCut(old, metas, (states) => participant.joinStates(states, share))
    const meta =
      participant?.isSplit === true ? splitMeta(old, metas, (states) => participant.joinStates(states, share)) : metas[share.index % metas.length]
    return [old, { derived: found[0]?.derived ?? false, meta: meta as unknown as Json }] as const
  })
  const { cut: _cut, restored: _restored, ...rest } = first
  return {
    ...rest,
    operators: byName(operators),
    sinks: byName(Object.keys(first.sinks).map((uid) => [uid, []] as const)),
    instance: { index: share.index, of: share.of },
  }
}

/** The savepoints of all instances, each once. */
function inOrder(parts: readonly Part[]): readonly CheckpointBody[] {
  const bodies = parts.map(({ body }) => body)
  const { of } = instanceOf(bodies[0] as CheckpointBody)
  const complete = bodies.length === of && bodies.every((body, index) => instanceOf(body).index === index && instanceOf(body).of === of)
  if (!complete)
    throw new RestoreError('SAVEPOINT_INCOMPLETE', {
      of,
      found: bodies.map((body) => `${instanceOf(body).index} of ${instanceOf(body).of}`),
    })
  return bodies
}

/** What stands before the keys has to have come as far everywhere: a record that waits there has been counted behind it in another instance. */
function requireOneCut(uid: string, metas: readonly OperatorMeta[], join: (states: readonly Json[]) => Json | undefined): void {
  const alike = (name: 'inFlight' | 'state'): boolean => metas.every((meta) => same(meta[name], metas[0]?.[name]))
  if (alike('inFlight') && (alike('state') || join(metas.flatMap(({ state = null }) => [state])) !== undefined)) return
  throw notOneCut(uid)
}

export const notOneCut = (uid: string): RestoreError =>
  new RestoreError('STATE_NOT_SPLIT', {
    uid,
    reason: 'before the keys it holds records that another instance has let go: let them wait behind keyBy',
  })

/** Event time is that of the instance that is furthest behind. */
function splitMeta(uid: string, metas: readonly OperatorMeta[], join: (states: readonly Json[]) => Json | undefined): OperatorMeta {
  if (metas.some(({ inFlight }) => inFlight !== undefined)) throw new RestoreError('STATE_NOT_SPLIT', { uid, reason: 'it has records in flight' })
  const [behind] = [...metas].sort((a, b) => timeStored(a.time[0]) - timeStored(b.time[0])) as [OperatorMeta, ...OperatorMeta[]]
  const lowest = (at: 0 | 1): Json => storedTime(Math.min(...metas.map(({ time }) => timeStored(time[at]))))
  const inputs = inputsOf(
    behind.inputs,
    metas.flatMap(({ inputs }) => (inputs === undefined ? [] : [inputs])),
  )
  const states = metas.flatMap(({ state }) => (state === undefined ? [] : [state]))
  // Also of one instance: of what it had, several have a part each.
  const state = states.length === 0 ? undefined : (join(states) ?? (states.every((each) => same(each, states[0])) ? states[0] : undefined))
  if (states.length > 0 && state === undefined)
    throw new RestoreError('STATE_NOT_SPLIT', { uid, reason: 'its instances differ in what they have beside their rows' })
  return {
    ...behind,
    time: [lowest(0), lowest(1), metas.every(({ time }) => time[2])],
    ended: metas.every(({ ended }) => ended),
    ...(inputs === undefined ? {} : { inputs }),
    ...(state === undefined ? {} : { state }),
    tables: tablesOf(uid, metas),
  }
}

/** What an operator of several inputs keeps of their times (combinedWatermark.ts, watermarkValve.ts). */
interface InputsMeta {
  readonly watermark: Json
  readonly inputs: readonly (readonly Json[])[]
}

/** Each input goes on from where it is furthest behind: an instance may be ahead on one, and behind on another. */
function inputsOf(behind: Json | undefined, all: readonly Json[]): Json | undefined {
  if (behind === undefined) return undefined
  const known = all as unknown as readonly InputsMeta[]
  const { watermark: _watermark, inputs, ...rest } = behind as unknown as InputsMeta
  const lowest = (times: readonly (Json | undefined)[]): Json => storedTime(Math.min(...times.map(timeStored)))
  return {
    ...rest,
    watermark: lowest(known.map(({ watermark }) => watermark)),
    inputs: inputs.map(([, ...others], at) => [lowest(known.map((each) => each.inputs[at]?.[0])), ...others]),
  } as unknown as Json
}

/** The names of states by their numbers: those of one instance begin with those of another, or cells could not be told apart. */
function tablesOf(uid: string, metas: readonly OperatorMeta[]): OperatorMeta['tables'] {
  const tables: { [name: string]: Json } = {}
  for (const { tables: own } of metas)
    for (const [name, table] of Object.entries(own)) {
      const known = tables[name]
      if (known === undefined || beginsWith(table, known)) tables[name] = table
      else if (!beginsWith(known, table))
        throw new RestoreError('STATE_NOT_SPLIT', { uid, table: name, reason: 'its instances number their states differently' })
    }
  return byName(Object.entries(tables))
}

function beginsWith(longer: Json, shorter: Json): boolean {
  const [a, b] = [longer, shorter].map((table) => (table as { readonly states: readonly string[] }).states) as [readonly string[], readonly string[]]
  return b.every((name, at) => a[at] === name)
}

const same = (a: Json | undefined | object, b: Json | undefined | object): boolean => JSON.stringify(a) === JSON.stringify(b)
