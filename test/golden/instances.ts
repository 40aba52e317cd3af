import { memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { type JobInstance, shareOf } from '../../lib/instanceShare.js'
import type { MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { settled, testJob, type Watched, watched } from '../support/jobs.js'
import { type ManualClock, manualClock } from '../support/manualClock.js'
import type { Elements } from './harness.js'
import { type Fields, plainValue, recordTime, unknown, watermarkTime } from './model.js'
import type { Emitted } from './play.js'

/** What one of several instances is told, in the input that all of them read. */
interface Entry {
  readonly to: number
  readonly event: Fields
}

/** Inputs that all instances of a job read, so that their savepoints are one cut. What is meant for one, others pass over. */
export class SharedInputs {
  readonly sources: readonly MemorySource<Entry>[]

  constructor(inputs: number) {
    this.sources = Array.from({ length: inputs }, () => memorySource<Entry>([], { bounded: false }))
  }

  push(input: number, to: number, event: Fields): void {
    const source = this.sources[input]
    if (source === undefined) throw unknown('input', input)
    source.push({ to, event })
  }
}

export interface InstanceOptions {
  /** What entries call it. */
  readonly name: number
  readonly instance: JobInstance
  readonly maxParallelism: number
  readonly inputs: SharedInputs
  /** Savepoints of all instances of before. */
  readonly from?: readonly CheckpointStorage[]
  readonly startMs?: number
  /** `ownKey` is a key that belongs to the instance. */
  build(inputs: readonly Elements[], ownKey: string): Elements
}

/** One instance of a job, from its start or from savepoints on. */
export class RunningInstance {
  readonly emitted: Emitted[] = []
  private readonly clock: ManualClock
  private readonly run: Watched
  private failure: { readonly error: unknown } | undefined

  constructor({ name, instance, maxParallelism, inputs, from, startMs = 0, build }: InstanceOptions) {
    this.clock = manualClock(startMs)
    const { job } = testJob(
      ({ source, sink }) => {
        const own = inputs.sources.map((each, index) => source(`input${index}`, each).pipe(entriesOf(name)))
        return tapped(build(own as unknown as readonly Elements[], ownKey(instance, maxParallelism)), this.emitted).pipe(
          sink('out', memorySink<never>()),
        )
      },
      { clock: this.clock, storage: memory(), instance, maxParallelism, ...(from === undefined ? {} : { restore: { from } }) },
    )
    this.run = watched(job)
    this.run.done.catch((error: unknown) => {
      this.failure = { error }
    })
  }

  /** How many rows it began with. */
  get restoredRows(): number {
    return this.run.of('restored')[0]?.rows ?? 0
  }

  get nowMs(): number {
    return this.clock.nowMs()
  }

  /** Lets everything that it was given have its effects. */
  async settled(): Promise<void> {
    await settled(5)
    if (this.failure !== undefined) throw this.failure.error
  }

  async processingTime(to: number): Promise<void> {
    await this.clock.advance(to - this.clock.nowMs())
    await this.settled()
  }

  async savepoint(): Promise<CheckpointStorage> {
    const target = memory()
    await this.run.savepoint(target)
    return target
  }

  /** Ends it with a savepoint. */
  async stopped(): Promise<CheckpointStorage> {
    const savepoint = memory()
    await this.run.stop({ savepoint })
    return savepoint
  }

  close(): void {
    this.run.cancel()
  }
}

/** The first of some keys that belongs to an instance. */
function ownKey(instance: JobInstance, maxParallelism: number): string {
  const share = shareOf(instance, maxParallelism)
  for (let n = 0; ; n++) if (share.owns(`key${n}`)) return `key${n}`
}

/** Takes those entries that are meant for an instance, as what they are. */
const entriesOf = (name: number) =>
  operate<Entry, unknown>({
    name: 'entries',
    time: 'own',
    create: (context) => ({
      processRecord({ to, event }, _timestamp, key) {
        if (to !== name) return
        if (event['op'] === 'watermark') context.emitWatermark(watermarkTime(event['ts']))
        else if (event['op'] === 'status') context.emitStatus(event['value'] === 'idle')
        else context.output.processRecord(plainValue(event['value']), recordTime(event['ts']), key)
      },
    }),
  })

/** Tells what flows. */
const tapped = (stream: Elements, emitted: Emitted[]) =>
  (stream as any).pipe(
    operate<unknown, never>({
      name: 'tap',
      create: (_context: MachineContext<never>) => ({
        processRecord: (value, ts) => void emitted.push({ kind: 'record', value, ts }),
        processWatermark: (ts) => void emitted.push({ kind: 'watermark', ts }),
      }),
    }),
  )
