import type { DropCount, DropReason } from '../droppedRecords.js'
import type { MachineContext, Receiver } from '../machine.js'
import type { SideOutput } from '../sideOutput.js'

/** Where records go that come too late: to the side output for them, or nowhere, counted. */
export class LateRecords {
  private readonly receiver: Receiver<unknown> | undefined
  private readonly count: DropCount

  constructor(context: MachineContext<never>, side: SideOutput<never> | undefined, reason: DropReason) {
    this.count = context.dropCount(reason)
    if (side !== undefined) this.receiver = context.side(side) as Receiver<unknown>
  }

  add(value: unknown, timestamp: number | undefined): void {
    if (this.receiver === undefined) this.count.records += 1
    else this.receiver.processRecord(value, timestamp, undefined)
  }
}
