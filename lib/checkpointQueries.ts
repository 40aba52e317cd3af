/**
 * Looks into the newest complete checkpoint of a job that goes on.
 *
 * **Invariants** A checkpoint that is looked into stays until the look is closed, whatever is completed meanwhile. A look holds nobody up:
 * when the run ends, what reads ends, too.
 *
 * **Fault model** Whoever asked may stop in the middle, or never come back.
 */
import { BackendError, RestoreError } from './errors.js'
import type { HeldCheckpoints } from './heldCheckpoints.js'
import { type Key, mapKey, normalKey } from './key.js'
import { visitFinalRows } from './processor/finalRows.js'
import { iterated } from './processor/iterated.js'
import { heldBytesUsual } from './processor/openSavepoint.js'
import { readChunks } from './processor/readChunks.js'
import type { CheckpointQuery, StateRow } from './query.js'
import type { StoredState } from './run.js'
import { readRows } from './state/rowFrames.js'

export class CheckpointQueries {
  private readonly open = new Set<() => void>()

  constructor(private readonly held: HeldCheckpoints) {}

  /** Throws a `RestoreError` `CHECKPOINT_MISSING` where none is complete yet. */
  async newest(uid: string, { table, address, read }: StoredState): Promise<CheckpointQuery> {
    const stored = await this.held.holdNewest()
    if (stored === undefined) throw new RestoreError('CHECKPOINT_MISSING', { uid, reason: 'none is complete yet' })
    const { checkpointId } = stored
    let end: (error: Error) => void = () => {}
    const ended = new Promise<never>((_resolve, reject) => {
      end = reject
    })
    ended.catch(() => undefined)
    const close = (): void => {
      if (!this.open.delete(close)) return
      this.held.letGo(checkpointId)
      end(new BackendError('BACKEND_NOT_OPEN', { checkpointId, reason: 'the query is closed, or the run has ended' }))
    }
    this.open.add(close)
    const requireOpen = (): void => {
      if (!this.open.has(close)) throw new BackendError('BACKEND_NOT_OPEN', { checkpointId, reason: 'the query is closed, or the run has ended' })
    }
    const isUnwanted = (foundUid: string, foundTable: string): boolean => foundUid !== uid || foundTable !== table
    return {
      checkpointId,
      close,
      /** Later rows over earlier ones: what is held is what is answered. */
      async get(key) {
        requireOpen()
        const wanted = mapKey(normalKey(key))
        const rows = new Map<ReturnType<typeof mapKey>, StateRow>()
        await readChunks(
          stored,
          (chunk) => {
            requireOpen()
            if (isUnwanted(chunk.uid, chunk.table)) return
            readRows(chunk.bytes, (keyBytes, cells) => {
              const { key: own, namespace, entry } = address(keyBytes)
              if (mapKey(own) !== wanted) return
              const value = cells === undefined ? undefined : read(cells)
              const place = mapKey([namespace === undefined ? [] : [namespace], entry === undefined ? [] : [entry]] as Key)
              if (value === undefined) rows.delete(place)
              else rows.set(place, { key: own, namespace, entry, value: value.value })
            })
          },
          isUnwanted,
        )
        return [...rows.values()]
      },
      rows: () =>
        iterated<StateRow>(async (hand) => {
          requireOpen()
          let list: StateRow[] = []
          const turn = (): Promise<void> | undefined => {
            requireOpen()
            if (list.length === 0) return undefined
            const full = list
            list = []
            return Promise.race([hand(full), ended])
          }
          await visitFinalRows(stored, { isUnwanted, heldBytesMax: heldBytesUsual, turn }, (_uid, _table, keyBytes, cells) => {
            const value = read(cells)
            if (value !== undefined) list.push({ ...address(keyBytes), value: value.value })
          })
        }),
    }
  }

  /** Ends all looks. */
  closeAll(): void {
    for (const close of [...this.open]) close()
  }
}
