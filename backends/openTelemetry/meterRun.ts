import type { JobEvent } from '../../lib/events.js'
import type { RunMetrics } from '../../lib/metrics.js'

/** What labels a measurement. */
type Attributes = { readonly [name: string]: string | number }

/** One look at an instrument: as `ObservableResult` of `@opentelemetry/api`. */
export interface Observed {
  observe(value: number, attributes?: Attributes): void
}

/** As `ObservableGauge` and `ObservableCounter` of `@opentelemetry/api`. */
export interface ObservableInstrument {
  addCallback(callback: (result: Observed) => void): void
  removeCallback(callback: (result: Observed) => void): void
}

/** As `Histogram` of `@opentelemetry/api`. */
export interface Instrument {
  record(value: number, attributes?: Attributes): void
}

/** As much of `Meter` of `@opentelemetry/api` as is needed. */
export interface Meter {
  createObservableGauge(name: string, options?: { readonly description?: string; readonly unit?: string }): ObservableInstrument
  createObservableCounter(name: string, options?: { readonly description?: string; readonly unit?: string }): ObservableInstrument
  createHistogram(name: string, options?: { readonly description?: string; readonly unit?: string }): Instrument
}

/** What is measured: the handle that `job.run()` answers. */
export interface MeteredRun {
  readonly events$: { subscribe(observer: { next(event: JobEvent): void; error(error: unknown): void }): { unsubscribe(): void } }
  metrics(): RunMetrics
}

type Look = (metrics: RunMetrics, tell: (value: number, attributes?: Attributes) => void) => void

interface Gauge {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly counts?: boolean
  readonly look: Look
}

const gauges: readonly Gauge[] = [
  {
    name: 'rxweir.source.records',
    description: 'Records that sources have let in',
    unit: '{record}',
    counts: true,
    look: ({ sources }, tell) => {
      for (const { uid, records } of sources) tell(records, { uid })
    },
  },
  {
    name: 'rxweir.source.paused',
    description: '1 while a source waits for somebody who can take no more',
    unit: '1',
    look: ({ sources }, tell) => {
      for (const { uid, paused } of sources) tell(paused ? 1 : 0, { uid })
    },
  },
  {
    name: 'rxweir.source.paused.time',
    description: 'For how long a source has waited for somebody who could take no more: its rate is the share of time',
    unit: 'ms',
    counts: true,
    look: ({ sources }, tell) => {
      for (const { uid, pausedMs } of sources) tell(pausedMs, { uid })
    },
  },
  {
    name: 'rxweir.operator.rows',
    description: 'Rows of the states of an operator',
    unit: '{row}',
    look: ({ operators }, tell) => {
      for (const { uid, rows } of operators) for (const [table, count] of Object.entries(rows)) tell(count, { uid, table })
    },
  },
  {
    name: 'rxweir.operator.watermark.lag',
    description: 'How far event time is behind the clock',
    unit: 'ms',
    look: ({ operators }, tell) => {
      for (const { uid, watermarkLagMs } of operators) if (watermarkLagMs !== undefined) tell(watermarkLagMs, { uid })
    },
  },
  {
    name: 'rxweir.operator.records.dropped',
    description: 'Records that an operator has dropped: mostly late ones that no side output takes',
    unit: '{record}',
    counts: true,
    look: ({ operators }, tell) => {
      for (const { uid, dropped } of operators) for (const { reason, records } of dropped) tell(records, { uid, reason })
    },
  },
  {
    name: 'rxweir.sink.records',
    description: 'Records that sinks have written',
    unit: '{record}',
    counts: true,
    look: ({ sinks }, tell) => {
      for (const { uid, records } of sinks) tell(records, { uid })
    },
  },
  {
    name: 'rxweir.sink.commits.unconfirmed',
    description: 'Transactions of a sink that are not confirmed yet',
    unit: '{transaction}',
    look: ({ sinks }, tell) => {
      for (const { uid, unconfirmedCommits } of sinks) tell(unconfirmedCommits, { uid })
    },
  },
  {
    name: 'rxweir.checkpoints',
    description: 'Checkpoints that have ended, by how',
    unit: '{checkpoint}',
    counts: true,
    look: ({ checkpoints: { completed, failed } }, tell) => {
      tell(completed, { outcome: 'completed' })
      tell(failed, { outcome: 'failed' })
    },
  },
]

/**
 * Tells a meter of OpenTelemetry where a run stands, whenever its reader asks, and what each checkpoint took.
 *
 * It needs no package: a `Meter` of `@opentelemetry/api` has what it asks for.
 *
 * **When to use** to watch a job with the tools that watch everything else.
 *
 * @param attributes - labels every measurement, such as `{ job: 'flights' }`
 * @returns a function that ends it
 * @example Reading a meter once
 * ```ts
 * const told: string[] = []
 * const callbacks: ((result: { observe(value: number, attributes: object): void }) => void)[] = []
 * const observable = (name: string) => ({
 *   addCallback: (look: (typeof callbacks)[number]) => void callbacks.push((result) => { told.push(name); look(result) }),
 *   removeCallback() {},
 * })
 * const meter = { createObservableGauge: observable, createObservableCounter: observable, createHistogram: () => ({ record() {} }) }
 * const run = defineJob('sums', { storage: memory() }, ({ source, sink }) =>
 *   source('numbers', memorySource([1, 2])).pipe(sink('out', memorySink<number>())),
 * ).run()
 * meterRun(run, meter)
 * await run.done
 * for (const look of callbacks) look({ observe() {} })
 * told[0] // => 'rxweir.source.records'
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function meterRun(run: MeteredRun, meter: Meter, attributes: { readonly [name: string]: string | number } = {}): () => void {
  const ends = gauges.map(({ name, description, unit, counts = false, look }) => {
    const instrument = counts ? meter.createObservableCounter(name, { description, unit }) : meter.createObservableGauge(name, { description, unit })
    const callback = (result: Observed): void => look(run.metrics(), (value, own) => result.observe(value, { ...attributes, ...own }))
    instrument.addCallback(callback)
    return () => instrument.removeCallback(callback)
  })
  const histogram = (name: string, description: string, unit: string): Instrument => meter.createHistogram(name, { description, unit })
  const duration = histogram('rxweir.checkpoint.duration', 'From the barrier until a checkpoint is complete, and its phases', 'ms')
  const size = histogram('rxweir.checkpoint.size', 'Bytes of what had changed', 'By')
  const next = (event: JobEvent): void => {
    if (event.kind !== 'checkpointCompleted') return
    const { barrierMs, encodeMs, preCommitMs, publishMs } = event.phases
    duration.record(event.durationMs, { ...attributes, phase: 'all' })
    for (const [phase, ms] of Object.entries({ barrier: barrierMs, encode: encodeMs, preCommit: preCommitMs, publish: publishMs }))
      duration.record(ms, { ...attributes, phase })
    size.record(event.bytes, attributes)
  }
  // How the run ends is told to whoever waits for it; unheard, its error would end the process.
  const events = run.events$.subscribe({ next, error() {} })
  return () => {
    events.unsubscribe()
    for (const end of ends) end()
  }
}
