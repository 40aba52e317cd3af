import type { PostgresAddress } from '../../backends/postgres/connection.js'

/** Where the state of a program under test is, and what it writes to: `levelRows` has its live rows there, too, as `lmdb` has. */
export type Place = 'plain' | 'sealed' | 'lmdb' | 'level' | 'levelRows' | 'postgres'
export const filePlaces = ['plain', 'sealed', 'lmdb', 'level', 'levelRows'] as const satisfies readonly Place[]
export const places: readonly Place[] = [...filePlaces, 'postgres']
export const isPlace = (name: string): name is Place => places.some((place) => place === name)

/** What a program under test is told. */
export interface Orders {
  readonly place: Place
  /** Everything it keeps is below; where the database is, for one. */
  readonly folder: string
  readonly database?: { readonly address: PostgresAddress; readonly schema: string }
  readonly seed: number
  /** Its sources end soon; otherwise they go on until it is killed. */
  readonly last: boolean
  /** Nothing is synced, and it says that it was: a campaign has to notice. */
  readonly lies?: boolean
}

/**
 * What a program under test says, a line each, written at once so that it is said even when the program dies right behind it:
 *
 *     up                 it has loaded, and the run begins
 *     restored <id>      state of that checkpoint is back, or `none`
 *     started            the first record may flow
 *     begun <id>         a checkpoint is under way
 *     complete <id>      it is durable
 *     aborted <id>
 *     ends <partition> <offset>
 *     done               the run has completed
 *     failed <code> <message>
 */
export type Said = readonly [what: 'up' | 'restored' | 'started' | 'begun' | 'complete' | 'aborted' | 'ends' | 'done' | 'failed', ...rest: string[]]
