/**
 * What a run begins with: the checkpoint, or the savepoints of all instances, under the names that the program has.
 *
 * Nothing is written here. A state whose operator is gone, a name that means something else, cuts that do not belong together: each is
 * an error before anything has changed, and it lists what is stored against what the program has.
 */
import { byName, type CheckpointBody, instanceOf } from '../checkpointBody.js'
import { ConfigurationError, type ErrorDetails, RestoreError } from '../errors.js'
import type { InstanceShare } from '../instanceShare.js'
import type { Json } from '../json.js'
import { mergedBody } from './mergedBody.js'
import type { KnownProgram, Part } from './restored.js'
import type { RestoreChoice } from './restoreOptions.js'

export interface RestorePlan {
  readonly parts: readonly Part[]
  /** What is restored, under the uids of the program. */
  readonly body: CheckpointBody
  /** The checkpoint by whose cut a sink is judged. */
  readonly cut: number
  /** The name in the program of what has this name in the checkpoint; undefined for what is left out. */
  readonly uidOf: (uid: string) => string | undefined
  /** Tables of operators that are left out, since the program has no state in them. */
  readonly leavesOut: (uid: string, table: string) => boolean
  /** It is put together of what the instances of a job had. */
  readonly joins: boolean
  /** The rows lie elsewhere, or under other names: they are written anew before the run begins. */
  readonly moves: boolean
}

/** One line of what is stored against what the program has. */
interface Fit {
  readonly uid: string
  readonly stored: string | undefined
  readonly inProgram: string | undefined
}

type Kind = 'source' | 'operator' | 'sink'

/**
 * @param found - the newest checkpoint of the job's own storage, or what stands in for it
 * @param foreign - they are of another storage, or an older checkpoint of the own one
 */
export function planRestore(
  found: readonly Part[],
  { program, choice, share, foreign }: { program: KnownProgram; choice: RestoreChoice; share: InstanceShare; foreign: boolean },
): RestorePlan {
  const parts = [...found].sort((a, b) => instanceOf(a.body).index - instanceOf(b.body).index)
  const [first] = parts as [Part, ...Part[]]
  for (const { body } of parts) {
    if (!share.adopt(body.maxParallelism))
      throw new RestoreError('MAX_PARALLELISM_CHANGED', { stored: body.maxParallelism, found: share.maxParallelism })
  }
  const { index, of } = instanceOf(first.body)
  const same = parts.length === 1 && index === share.index && of === share.of
  if (!same && !foreign) throw new RestoreError('INSTANCE_CHANGED', { stored: `${index} of ${of}`, found: `${share.index} of ${share.of}` })
  const dropped = new Set([...choice.without].filter((uid) => first.body.restored?.without?.includes(uid) !== true))
  const names = namesIn(first.body, choice)
  const gone = new Set<string>()
  const uidOf = (uid: string): string | undefined => (dropped.has(uid) || gone.has(uid) ? undefined : (names.get(uid) ?? uid))
  for (const uid of unclaimed(parts, { program, uidOf, leave: choice.allowNonRestoredState })) gone.add(uid)
  const body = same ? first.body : mergedBody(parts, { program, share, uidOf })
  const leavesOut = (old: string, table: string): boolean => choice.allowNonRestoredState && lacks(program, uidOf(old), table)
  const tablesGone = Object.entries(first.body.operators).some(([uid, { meta }]) => tablesIn(meta).some((table) => leavesOut(uid, table)))
  const moves = foreign || tablesGone || dropped.size > 0 || [...gone].some((uid) => !isDerived(first.body, uid)) || names.size > 0
  return {
    parts,
    body: moves || gone.size > 0 ? underNames(body, uidOf, [...(first.body.restored?.without ?? []), ...dropped]) : body,
    cut: Math.max(...parts.map(({ stored, body }) => body.cut ?? stored.checkpointId)),
    uidOf,
    leavesOut,
    joins: !same,
    moves,
  }
}

/** The operator is there, and has no such table. */
function lacks({ participants }: KnownProgram, uid: string | undefined, table: string): boolean {
  const participant = uid === undefined ? undefined : participants.get(uid)
  return participant?.stateIn !== undefined && participant.stateIn(table) === undefined
}

const tablesIn = (meta: Json): readonly string[] => Object.keys((meta as { readonly tables?: object } | null)?.tables ?? {})

const isDerived = ({ operators }: CheckpointBody, uid: string): boolean => operators[uid]?.derived === true

/** The renames that are still to be done. */
function namesIn(body: CheckpointBody, { renamed }: RestoreChoice): ReadonlyMap<string, string> {
  const known = new Set([...Object.keys(body.sources), ...Object.keys(body.operators), ...Object.keys(body.sinks)])
  const names = new Map([...renamed].filter(([old]) => known.has(old)))
  for (const [old, uid] of names)
    if (known.has(uid) && !names.has(uid))
      throw new ConfigurationError('OPTION_INVALID', {
        option: 'restore.renamed',
        found: `${old}: ${uid}`,
        reason: 'both names are in the checkpoint',
      })
  return names
}

/** What the program has no place for: left out where that is allowed, or of no importance. Anything else that does not fit is an error. */
function unclaimed(
  parts: readonly Part[],
  { program, uidOf, leave }: { program: KnownProgram; uidOf(uid: string): string | undefined; leave: boolean },
): readonly string[] {
  const gone: string[] = []
  const stored = new Map<string, Kind>()
  let misfit: { readonly code: 'STATE_UNCLAIMED' | 'STATE_KIND_CHANGED'; readonly details: ErrorDetails } | undefined
  const check = (old: string, kind: Kind, may: { readonly miss: boolean; readonly drop: boolean }): void => {
    const uid = uidOf(old)
    if (uid === undefined) return
    stored.set(uid, kind)
    const found = kindIn(program, uid)
    if (found === kind) return
    if (found === undefined && may.drop) gone.push(old)
    else if (found !== undefined || !may.miss)
      misfit ??=
        found === undefined
          ? { code: 'STATE_UNCLAIMED', details: { uid, kind } }
          : { code: 'STATE_KIND_CHANGED', details: { uid, stored: kind, found } }
  }
  for (const { body } of parts) {
    for (const uid of Object.keys(body.sources)) check(uid, 'source', { miss: false, drop: leave })
    for (const [uid, { derived }] of Object.entries(body.operators))
      if (!(uid in body.sinks)) check(uid, 'operator', { miss: derived, drop: leave || derived })
    // A transaction that was decided is nothing to leave out in passing.
    for (const [uid, pending] of Object.entries(body.sinks)) check(uid, 'sink', { miss: false, drop: leave && pending.length === 0 })
  }
  if (misfit === undefined) return gone
  throw new RestoreError(misfit.code, { ...misfit.details, fit: tableOf(fitOf(stored, program)) })
}

const kindIn = ({ sources, participants }: KnownProgram, uid: string): Kind | undefined => (sources.has(uid) ? 'source' : participants.get(uid)?.kind)

function fitOf(stored: ReadonlyMap<string, Kind>, program: KnownProgram): readonly Fit[] {
  const uids = new Set([...stored.keys(), ...program.sources, ...program.participants.keys()])
  return [...uids].map((uid) => ({ uid, stored: stored.get(uid), inProgram: kindIn(program, uid) }))
}

/** A line for each uid, those first that do not fit. */
function tableOf(fit: readonly Fit[]): readonly string[] {
  const lines = [...fit].sort((a, b) => Number(a.stored === a.inProgram) - Number(b.stored === b.inProgram))
  return lines.map(({ uid, stored, inProgram }) => `${uid}: ${stored ?? 'nothing'} stored, ${inProgram ?? 'nothing'} in the program`)
}

function underNames(body: CheckpointBody, uidOf: RestorePlan['uidOf'], without: readonly string[]): CheckpointBody {
  const renamed = <A>(named: { readonly [uid: string]: A }): { [uid: string]: A } =>
    byName(
      Object.entries(named).flatMap(([old, value]) => {
        const uid = uidOf(old)
        return uid === undefined ? [] : [[uid, value] as const]
      }),
    )
  return {
    ...body,
    sources: renamed(body.sources),
    operators: renamed(body.operators),
    sinks: renamed(body.sinks),
    ...(without.length === 0 ? {} : { restored: { ...body.restored, without: [...without] } }),
  }
}
