import { option as O } from 'fp-ts'
import { checkpointId, epoch } from '../../lib/identity.js'
import type { CommittedUpTo } from '../../lib/ports/transactionalSink.js'
import type { Sql } from './link.js'
import type { Tables } from './tables.js'

/** Of so many transactions of a sink the ledger knows each; of older ones, that they were before those. */
const entriesMax = 1_000
/** The ledger is cut when about so many more have come. */
const entriesSlack = 256

/** What one sink has committed: a row a transaction, written in the transaction itself. */
export class Ledger {
  #sinceCut = entriesSlack

  constructor(
    private readonly tables: Tables,
    private readonly job: string,
    private readonly uid: string,
  ) {}

  /** Notes a transaction; answers false, having noted nothing, where it is there already. Waits for whoever is about to note the same. */
  async note(sql: Sql, { epoch, checkpointId }: CommittedUpTo): Promise<boolean> {
    const { ledger } = this.tables
    const { rowCount } = await sql.query(`INSERT INTO ${ledger} (job, uid, epoch, checkpoint) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, [
      this.job,
      this.uid,
      epoch,
      checkpointId,
    ])
    if (rowCount !== 1) return false
    this.#sinceCut += 1
    if (this.#sinceCut > entriesSlack) {
      this.#sinceCut = 0
      await sql.query(
        `DELETE FROM ${ledger} WHERE job = $1 AND uid = $2 AND (epoch, checkpoint) <
        (SELECT epoch, checkpoint FROM ${ledger} WHERE job = $1 AND uid = $2 ORDER BY epoch DESC, checkpoint DESC OFFSET $3 LIMIT 1)`,
        [this.job, this.uid, entriesMax],
      )
    }
    return true
  }

  /** Whether a transaction was committed. */
  async has(sql: Sql, { epoch, checkpointId }: CommittedUpTo): Promise<boolean> {
    const { ledger } = this.tables
    const { rows } = await sql.query(
      `SELECT EXISTS (SELECT FROM ${ledger} WHERE job = $1 AND uid = $2 AND epoch = $3 AND checkpoint = $4) AS noted,
      (SELECT count(*) FROM ${ledger} WHERE job = $1 AND uid = $2 AND (epoch, checkpoint) > ($3, $4)) AS later`,
      [this.job, this.uid, epoch, checkpointId],
    )
    const [found] = rows as readonly [{ readonly noted: boolean; readonly later: string }]
    return found.noted || Number(found.later) >= entriesMax
  }

  async newest(sql: Sql): Promise<O.Option<CommittedUpTo>> {
    const { rows } = await sql.query(
      `SELECT epoch, checkpoint FROM ${this.tables.ledger} WHERE job = $1 AND uid = $2 ORDER BY epoch DESC, checkpoint DESC LIMIT 1`,
      [this.job, this.uid],
    )
    const [found] = rows as readonly { readonly epoch: string; readonly checkpoint: string }[]
    return found === undefined ? O.none : O.some({ epoch: epoch(Number(found.epoch)), checkpointId: checkpointId(Number(found.checkpoint)) })
  }
}
