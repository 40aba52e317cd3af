import { RestoreError } from '../../lib/errors.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import type { RowPlace } from './rowOrder.js'

/** An offset as a checkpoint has it. Transactions are counted by each server anew, so theirs is named, too. */
export const offsetOf = ({ xid, id }: RowPlace, server: string): SourceOffset => (xid === undefined ? { id } : { server, xid, id })

export interface StoredPlace extends RowPlace {
  readonly server: string | undefined
}

/** Offsets come from a checkpoint: they are checked like any input. Nothing had been read where it is null. */
export function placeIn(offset: SourceOffset, byXid: boolean, uid: string): StoredPlace | undefined {
  if (offset === null) return undefined
  const { server, xid, id } = (typeof offset === 'object' ? offset : {}) as { readonly [name: string]: unknown }
  if (typeof id === 'string') {
    if (!byXid && xid === undefined) return { server: undefined, xid: undefined, id }
    if (byXid && typeof server === 'string' && typeof xid === 'string' && /^\d+$/.test(xid)) return { server, xid, id }
  }
  throw new RestoreError('STATE_KIND_CHANGED', { uid, reason: `the stored offset is not one of a table read ${byXid ? 'by transaction' : 'by id'}` })
}
