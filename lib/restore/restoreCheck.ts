/**
 * A restore that changes nothing: what a program would find in the checkpoint that it would begin with, and what it could not read.
 */
import { RxweirError } from '../errors.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { readCells } from '../state/cells.js'
import { readRows } from '../state/rowFrames.js'
import type { StateCodec } from '../stateCodec.js'
import { unwrap } from '../task.js'
import type { OperatorMeta } from './mergedBody.js'
import type { Part, Program } from './restored.js'
import type { RestorePlan } from './restorePlan.js'

/** What becomes of a stored state in the program. */
export type StateOutcome =
  /** It is read as it was written, and would be written again as it is. */
  | 'asIs'
  /**
   * Its codec has changed and has the version of before: it reads every value that is stored, without a migration, and would write some of them
   * otherwise, such as with a field that has a default now, or without one that it drops. What is stored stays until it is written anew.
   */
  | 'reconfigured'
  /** Some of it was written by an older version of its codec, and is migrated. */
  | 'afterMigration'
  /** Some of it cannot be read: the job would not start. */
  | 'incompatible'
  /** Its table holds another state by now; it is kept beside, and read again when it is declared again. */
  | 'undeclared'
  /** It is left out, as was asked for. */
  | 'leftOut'

/** One state of one operator. */
export interface StateCheck {
  readonly uid: string
  readonly state: string
  readonly outcome: StateOutcome
  readonly rows: number
  /** The versions of its codec that wrote it. */
  readonly storedVersions: readonly number[]
  /** The version of the program's codec. */
  readonly version: number | undefined
  /** Why it is incompatible: the first value that could not be read. */
  readonly error: RxweirError | undefined
}

/** What a start would find. */
export interface RestoreCheck {
  /** The checkpoint that the job would begin with; none on a first start. */
  readonly checkpointId: number | undefined
  /** The job would start. */
  readonly fits: boolean
  /** Why operators, sources and sinks do not fit; none where they do. */
  readonly error: RxweirError | undefined
  readonly states: readonly StateCheck[]
}

interface Where {
  readonly uid: string
  readonly table: string
  readonly state: string
  readonly leftOut: boolean
}

interface Looked extends Where {
  readonly versions: Set<number>
  rewritten: boolean
  rows: number
  error: RxweirError | undefined
}

/** Reads everything as a restore would; `find` chooses the checkpoint and throws where it does not fit. */
export async function checkRestore(find: () => Promise<RestorePlan | undefined>, program: Program): Promise<RestoreCheck> {
  let plan: RestorePlan | undefined
  try {
    plan = await find()
  } catch (error) {
    if (!(error instanceof RxweirError)) throw error
    return { checkpointId: undefined, fits: false, error, states: [] }
  }
  if (plan === undefined) return { checkpointId: undefined, fits: true, error: undefined, states: [] }
  const looked = new Look(plan, program)
  for (const part of plan.parts) await unwrap(part.stored.readRows((chunk) => looked.at(chunk, part)))
  looked.checkEntries()
  const states = looked.states()
  return { checkpointId: plan.cut, fits: states.every(({ outcome }) => outcome !== 'incompatible'), error: undefined, states }
}

class Look {
  private readonly found = new Map<string, Looked>()
  private readonly metas: { readonly [uid: string]: OperatorMeta }

  constructor(
    private readonly plan: RestorePlan,
    private readonly program: Program,
  ) {
    this.metas = Object.fromEntries(Object.entries(plan.body.operators).map(([uid, { meta }]) => [uid, meta as unknown as OperatorMeta]))
    for (const [uid, { meta }] of Object.entries(plan.body.operators)) program.participants.get(uid)?.restore({ meta })
  }

  at(chunk: RowChunk, { body }: Part): void {
    if (!(chunk.uid in body.operators)) return
    const uid = this.plan.uidOf(chunk.uid) ?? chunk.uid
    const leftOut = this.plan.uidOf(chunk.uid) === undefined || this.plan.leavesOut(chunk.uid, chunk.table)
    const own = this.program.participants.get(uid)
    const declared = own?.stateIn(chunk.table)
    const names = (this.metas[uid]?.tables[chunk.table] as { readonly states?: readonly string[] } | undefined)?.states ?? []
    readRows(chunk.bytes, (_key, value) => {
      if (value !== undefined)
        readCells(value, ({ state, version, text }) => {
          const name = names[state] ?? chunk.table
          const looked = this.count({ uid, table: chunk.table, state: name, leftOut }, version)
          if (declared?.state === name && declared.codec.version === version) looked.rewritten ||= isRewritten(declared.codec, text)
        })
    })
    if (leftOut || own === undefined) return
    // A table that it does not have is an error, too, and the one that a start would end with.
    const looked = this.lookedAt({ uid, table: chunk.table, state: declared?.state ?? names[0] ?? chunk.table, leftOut })
    if (looked.error !== undefined) return
    try {
      own.restoreRows(chunk)
    } catch (error) {
      if (!(error instanceof RxweirError)) throw error
      looked.error = error
    }
  }

  /** Names of entries are looked at once all rows are there, as a start does. */
  checkEntries(): void {
    for (const [uid, own] of this.program.participants) {
      for (const { table, error } of own.misfits()) {
        if (!(error instanceof RxweirError)) throw error
        this.lookedAt({ uid, table, state: own.stateIn(table)?.state ?? table, leftOut: false }).error ??= error
      }
    }
  }

  states(): readonly StateCheck[] {
    return [...this.found.values()].map((looked) => {
      const { uid, table, state, versions, rows, error } = looked
      const declared = this.program.participants.get(uid)?.stateIn(table)
      const version = declared?.state === state ? declared.codec.version : undefined
      const storedVersions = [...versions].sort((a, b) => a - b)
      return { uid, state, outcome: this.outcome(looked, version, storedVersions), rows, storedVersions, version, error }
    })
  }

  private outcome({ error, leftOut, rewritten }: Looked, version: number | undefined, stored: readonly number[]): StateOutcome {
    if (error !== undefined) return 'incompatible'
    if (leftOut) return 'leftOut'
    if (version === undefined) return 'undeclared'
    if (stored.some((each) => each !== version)) return 'afterMigration'
    return rewritten ? 'reconfigured' : 'asIs'
  }

  private count(where: Where, version: number): Looked {
    const looked = this.lookedAt(where)
    looked.rows += 1
    looked.versions.add(version)
    return looked
  }

  private lookedAt(where: Where): Looked {
    const name = `${where.uid}/${where.table}/${where.state}`
    const looked = this.found.get(name) ?? { ...where, versions: new Set<number>(), rewritten: false, rows: 0, error: undefined }
    this.found.set(name, looked)
    return looked
  }
}

const utf8 = new TextDecoder()

/** Whether a codec of the same version writes a value otherwise than it was written. What it cannot read is told elsewhere. */
function isRewritten(codec: StateCodec<unknown>, stored: Uint8Array): boolean {
  const text = utf8.decode(stored)
  try {
    return codec.toText(codec.fromText(text, codec.version)) !== text
  } catch {
    return false
  }
}
