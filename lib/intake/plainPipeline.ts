/**
 * A run between plain Observables: values in, values out, and all the rest of a job in between.
 *
 * **Invariants** The inputs are subscribed to at once, before anything is restored, so that a hot one loses nothing; what they bring
 * waits at the intake. An error of an input ends the run after everything that came before it was processed and is in a checkpoint.
 * A subscriber that lets go cancels the run, as a crash would, but for the journal, which takes down what had arrived.
 */
import type { Observable, Subscriber } from 'rxjs'
import { assembled } from '../assembly.js'
import type { AnyStream, Stream } from '../element.js'
import { ConfigurationError, StreamError } from '../errors.js'
import type { JobEvent } from '../events.js'
import { operatorUid } from '../identity.js'
import { JobRun, type RunOptions } from '../jobRun.js'
import type { Machine } from '../machine.js'
import { operate, streamOf } from '../operate.js'
import type { Graph } from '../runGraph.js'
import { type Sunk, sink } from '../sink.js'
import { subscribePlainly } from '../stage.js'
import type { StateCodec } from '../stateCodec.js'
import { type Delivered, type Numbered, numbering, toSubscriber } from './delivered.js'
import { Intake, type IntakeOptions } from './intake.js'
import { IntakeStage } from './intakeStage.js'

/** The uid of the source that all inputs are. The names of the pipeline's own parts have a dot, so that no user's name meets them. */
const intakeUid = 'checkpointed.intake'
const sequenceUid = 'checkpointed.sequence'
const deliveryUid = 'checkpointed.delivery'

export interface PlainInput {
  readonly name: string
  readonly values: Observable<unknown>
  readonly codec: StateCodec<unknown>
}

export interface PlainPipeline {
  readonly run: RunOptions
  readonly intake: IntakeOptions
  /** Completing means the end of an input, or only of this run. */
  readonly atEnd: 'finish' | 'suspend'
  readonly main: PlainInput
  /** With the checkpoint, or where undefined at once. */
  readonly results: { readonly codec: StateCodec<unknown>; readonly undeliveredMax: number } | undefined
  build(main: Stream<unknown>, further: (input: PlainInput) => Stream<unknown>): AnyStream<unknown>
  event(event: JobEvent): void
}

export class PlainRun {
  readonly run: JobRun
  private readonly intake: Intake
  private readonly stage: IntakeStage
  private readonly inputs: (() => void)[] = []
  private stopped = false
  private readonly open = new Set<string>()
  /** What the run ends with when all that came before it is safe. */
  private failure: { readonly error: unknown } | undefined
  private released = false

  constructor(
    private readonly pipeline: PlainPipeline,
    private readonly subscriber: Subscriber<unknown>,
  ) {
    this.intake = new Intake(intakeUid, pipeline.intake, {
      fail: (error) => {
        this.stopInputs()
        this.run.fail(error)
      },
      wantsCheckpoint: () => void this.run.checkpoint().catch(() => undefined),
      suspended: () => void this.run.stop({}),
    })
    this.stage = new IntakeStage(intakeUid, this.intake, () => this.stopInputs())
    this.run = new JobRun(pipeline.run, () => this.graph(), {
      event: (event) => pipeline.event(event),
      complete: () => this.completed(),
      error: (error) => subscriber.error(error),
    })
    this.enter(pipeline.main)
  }

  /** Nobody listens any more. */
  release(): void {
    this.released = true
    this.stopInputs()
    this.run.cancel()
  }

  // ---- in

  private enter(input: PlainInput): void {
    const { name, values, codec } = input
    this.intake.input(name, codec)
    this.open.add(name)
    subscribePlainly(
      values,
      {
        next: (value) => this.intake.receive(name, value),
        error: (error) => {
          this.failure ??= { error }
          this.stopInputs()
          this.intake.suspend()
        },
        complete: () => {
          this.open.delete(name)
          if (this.pipeline.atEnd === 'finish') this.intake.end(name)
          else if (this.open.size === 0) this.intake.suspend()
        },
      },
      (release) => {
        if (this.stopped) release()
        else this.inputs.push(release)
      },
    )
  }

  /** What has arrived is noted down; the next run goes on with it. */
  private stopInputs(): void {
    this.stopped = true
    for (const release of this.inputs.splice(0)) release()
    this.intake.flush()
  }

  private graph(): Graph {
    assembled(intakeUid)
    const inputs: PlainInput[] = []
    const outlet = ({ name }: PlainInput): Stream<unknown> => streamOf(this.stage.outlet(operatorUid(name)))
    const results = this.pipeline.build(outlet(this.pipeline.main), (input) => {
      inputs.push(input)
      return outlet(input)
    })
    if ((results as Partial<AnyStream> | undefined)?.subscribe === undefined)
      throw new ConfigurationError('JOB_WITHOUT_SINK', { job: this.pipeline.run.name, reason: 'the function returned no stream' })
    for (const input of inputs) this.enter(input)
    return { sources: [this.stage as never], sinks: [this.out(results)] }
  }

  // ---- out

  private out(results: AnyStream<unknown>): Observable<Sunk> {
    const { subscriber } = this
    const { results: delivered, run } = this.pipeline
    if (delivered === undefined) {
      const emit: Machine<unknown> = { processRecord: (value) => subscriber.next(value) }
      return operate<unknown, never>({ name: 'checkpointed', keys: 'none', create: () => emit })(results) as unknown as Observable<Sunk>
    }
    const numbered = operate<unknown, Numbered<unknown>>({
      name: 'checkpointed',
      uid: sequenceUid,
      keys: 'none',
      create: ({ output }) => numbering((result, timestamp) => output.processRecord(result, timestamp, undefined)),
    })
    const deliver = (result: Delivered<unknown>): boolean => {
      if (this.released) return false
      subscriber.next(result)
      // Whoever let go while it was told has not confirmed that it was.
      return !this.released
    }
    return sink(deliveryUid, toSubscriber({ name: run.name, ...delivered, deliver }))(numbered(results))
  }

  private completed(): void {
    if (this.failure !== undefined) return this.subscriber.error(this.failure.error)
    // The stored state was at its end before this run began, and its values have nowhere to go.
    if (!this.intake.opened && this.intake.received > 0 && !this.pipeline.intake.repeats)
      return this.subscriber.error(new StreamError('STREAM_FINISHED', { pipeline: this.pipeline.run.name, input: this.pipeline.main.name }))
    this.subscriber.complete()
  }
}
