import type { MachineContext } from '../machine.js'

/** Lets the sources pause while an operator holds as many values as it may. */
export class HeldLimit {
  private resume: (() => void) | undefined

  constructor(
    private readonly context: MachineContext<never>,
    private readonly valuesMax: number,
  ) {}

  /** So many values are held now. */
  update(values: number): void {
    if (values >= this.valuesMax) this.resume ??= this.context.pause()
    else if (this.resume !== undefined) this.lift()
  }

  lift(): void {
    this.resume?.()
    this.resume = undefined
  }
}
