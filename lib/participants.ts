import { ConfigurationError } from './errors.js'
import { explain, type WatermarkExplanation } from './eventTime.js'
import type { OperatorMetrics } from './metrics.js'
import type { StateQuery } from './query.js'
import type { Participant, StoredState } from './run.js'

/** All operators and sinks of a run that take part in checkpoints, by uid. Membership is fixed when the run begins. */
export class Participants extends Map<string, Participant> {
  private open = true

  /** Takes one in; answers its uid, which for a derived one is made unique. */
  register(participant: Participant): string {
    if (!this.open) throw new ConfigurationError('OPERATOR_NOT_STARTED', { uid: participant.uid, reason: 'it started after the run had begun' })
    let { uid } = participant
    for (let copy = 2; this.has(uid); copy++) {
      if (!participant.derived) throw new ConfigurationError('UID_DUPLICATE', { uid })
      uid = `${participant.uid}#${copy}`
    }
    this.set(uid, participant)
    return uid
  }

  /** From now on nobody is taken in. */
  complete(): void {
    this.open = false
  }

  /** Where every operator stands in event time, and which input the others wait for. */
  explainWatermark(): WatermarkExplanation {
    return explain([...this.values()].map((participant) => participant.eventTime()))
  }

  /** A look into a state of an operator. Throws a `ConfigurationError` `STATE_UNKNOWN`. */
  query(uid: string, state: string): StateQuery {
    return this.get(uid)?.query(state) ?? this.unknown(uid, state)
  }

  /** How checkpoints have a state of an operator. Throws a `ConfigurationError` `STATE_UNKNOWN`. */
  storedState(uid: string, state: string): StoredState {
    return this.get(uid)?.storedState(state) ?? this.unknown(uid, state)
  }

  private unknown(uid: string, state: string): never {
    const uids = [...this.values()].filter(({ derived }) => !derived).map((participant) => participant.uid)
    throw new ConfigurationError('STATE_UNKNOWN', { uid, state, uids })
  }

  /** Where the operators stand; sinks are told of elsewhere. */
  metrics(nowMs: number): readonly OperatorMetrics[] {
    return [...this.values()]
      .filter(({ kind }) => kind === 'operator')
      .map((participant) => {
        const { watermark } = participant.eventTime()
        const watermarkLagMs = Number.isFinite(watermark) ? nowMs - watermark : undefined
        return { uid: participant.uid, watermark, watermarkLagMs, rows: participant.rowCounts(), dropped: participant.droppedRecords() }
      })
  }
}
