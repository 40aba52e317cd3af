import type { MachineContext, Receiver } from '../machine.js'
import type { SideOutput } from '../sideOutput.js'

/** Where records go that come too late for all their windows: to the side output for them, or nowhere, counted. */
export class LateRecords {
  private readonly receiver: Receiver<unknown> | undefined
  private dropped = 0

  constructor(
    private readonly context: MachineContext<never>,
    side: SideOutput<never> | undefined,
  ) {
    if (side !== undefined) this.receiver = context.side(side) as Receiver<unknown>
  }

  add(value: unknown, timestamp: number | undefined): void {
    if (this.receiver === undefined) this.dropped += 1
    else this.receiver.processRecord(value, timestamp, undefined)
  }

  report(): void {
    if (this.dropped > 0) this.context.report({ kind: 'lateRecordsDropped', operator: this.context.uid, records: this.dropped })
  }
}
