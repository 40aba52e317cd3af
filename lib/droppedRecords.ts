/**
 * Why an operator dropped a record:
 *
 * - `windowEnded`: all windows that it belongs to have ended, and the lateness that they allow is over; no side output takes it.
 * - `noWindow`: the assigner gave it none that is open, although it is not late. Windows further apart than they are wide leave gaps.
 * - `behindJoin`: event time has passed it, so some of its partners are gone; no side output takes it.
 */
export type DropReason = 'windowEnded' | 'noWindow' | 'behindJoin'

/** Records that an operator dropped for one reason, in this run. */
export interface DroppedRecords {
  readonly operator: string
  readonly reason: DropReason
  readonly records: number
}

/** Where an operator counts what it drops for one reason. */
export interface DropCount {
  readonly reason: DropReason
  records: number
}
