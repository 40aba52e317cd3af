import { ConfigurationError } from '../errors.js'
import type { Json } from '../json.js'
import type { Key } from '../key.js'
import type { Machine, MachineContext } from '../machine.js'

/**
 * What twins with several inputs have in common: inputs that all have keys or none, and an end that may come before that of the inputs.
 *
 * **Invariants** Once the output has ended nothing is emitted and nothing is kept, in a restored run either.
 */
export abstract class JoiningMachine<R> implements Machine<unknown> {
  private completed = false

  constructor(
    protected readonly context: MachineContext<R>,
    private readonly operator: string,
  ) {}

  open(): void {
    if (this.completed) this.context.post(() => this.endOutput())
  }

  processRecord(value: unknown, timestamp: number | undefined, key: unknown, input = 0): void {
    if (this.completed) return
    const { keyed, uid } = this.context
    if (!keyed && key !== undefined)
      throw new ConfigurationError('STREAM_NOT_KEYED', { uid, operator: this.operator, reason: 'one of its streams has keys and another has none' })
    // What belongs to no key is kept under one of its own.
    this.take(input, value, timestamp, keyed ? (key as Key) : null)
  }

  snapshotState(): Json {
    return this.completed
  }

  restoreState(stored: Json): void {
    this.completed = stored === true
  }

  protected abstract take(input: number, value: unknown, timestamp: number | undefined, key: Key): void

  /** Lets go of all state. */
  protected abstract forget(): void

  protected emit(result: R, timestamp: number | undefined, key: Key): void {
    this.context.output.processRecord(result, timestamp, this.context.keyed ? key : undefined)
  }

  /** Nothing more can come of the inputs. */
  protected complete(): void {
    if (this.completed) return
    this.completed = true
    this.forget()
    this.endOutput()
  }

  private endOutput(): void {
    this.context.emitWatermark(Number.POSITIVE_INFINITY)
    this.context.emitEnd()
  }
}
