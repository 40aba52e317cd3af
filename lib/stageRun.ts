/**
 * The shell around one machine in one run: it starts it, hands it elements, and does everything about barriers.
 *
 * **Invariants** At a barrier: capture, forward, acknowledge, in this order, and nothing of the operator in between. Event time
 * only rises. A record reaches the machine through `receiver()`, which is the machine itself where it has one input: chained
 * machines call each other directly. A machine is made at the start of its stream, after everything behind it has started.
 */

import { Alignment, type Junction } from './align.js'
import type { Cancel } from './clock.js'
import { type Downstream, fanOut, type Output, type Upstream } from './downstream.js'
import type { DropCount, DroppedRecords, DropReason } from './droppedRecords.js'
import { type CheckpointBarrier, EndOfInput, StreamStart } from './element.js'
import { CheckpointError, ConfigurationError, invariant, RestoreError } from './errors.js'
import type { OperatorTime } from './eventTime.js'
import { InstanceShare } from './instanceShare.js'
import type { Json } from './json.js'
import { type Key, normalKey } from './key.js'
import type { Machine, MachineContext, OperatorSpec, Receiver } from './machine.js'
import type { RowChunk } from './ports/checkpointStorage.js'
import type { StateQuery, StateRow } from './query.js'
import type { Redistribution } from './restore/redistribution.js'
import type { Participant, RunContext, SinkParticipant, Snapshot, StoredSnapshot, StoredState } from './run.js'
import { type SideOutput, tagOf } from './sideOutput.js'
import { SlicedEntry } from './slicedEntry.js'
import type { Row } from './state/row.js'
import type { RowCapture, RowStore } from './state/rowStore.js'
import type { StateCodec } from './stateCodec.js'
import { storedTime, timeStored } from './storedTime.js'
import { understood } from './understood.js'

const neverOver = (): boolean => false

/** Captures all tables of an operator, or none. */
function captureAll(tables: readonly RowStore<never>[]): RowCapture[] {
  const captures: RowCapture[] = []
  try {
    for (const table of tables) captures.push(table.capture())
    return captures
  } catch (error) {
    for (const capture of captures) capture.giveBack()
    throw error
  }
}

interface SideTap {
  readonly tag: string
  readonly outputs: Downstream[]
  untapped: number
}

export class StageRun implements Upstream, Junction, Participant {
  readonly operator: string
  uid: string
  readonly derived: boolean
  private readonly main: Downstream[] = []
  private readonly taps: SideTap[]
  private readonly feeds: (() => void)[] = []
  private readonly alignment: Alignment | undefined
  private readonly tables: RowStore<never>[] = []
  private readonly timers = new Set<Cancel>()
  private readonly drops: DropCount[] = []
  private started: StreamStart | undefined
  private machine: Machine<never> | undefined
  /** Before a machine that may put work off. */
  private entry: SlicedEntry | undefined
  private inputWatermark = Number.NEGATIVE_INFINITY
  private outputWatermark = Number.NEGATIVE_INFINITY
  /** The last event times that were not the end of time. Those are stored: a drained stream goes on, an ended one ends again. */
  private finiteInput = Number.NEGATIVE_INFINITY
  private finiteOutput = Number.NEGATIVE_INFINITY
  /** Not known after a restore to an operator that stores nothing: then the first that comes is passed on, whatever it says. */
  private inputIdle: boolean | undefined
  private lastBarrier = 0
  /** What was captured for a barrier that not all inputs have delivered yet. */
  private overtaking: Snapshot | undefined
  /** The end of input was processed, in this run or before its checkpoint: once is enough. */
  private ended = false
  /** The end of input has come and has not gone on. */
  private endReached: EndOfInput | undefined
  private completed = false
  private drained = false
  /** The end went on in this run. It does so once. */
  private endLetOut = false
  private closed = false

  constructor(
    private readonly spec: OperatorSpec<never, never>,
    inputs: number,
  ) {
    this.operator = spec.uid ?? spec.name
    this.uid = this.operator
    this.derived = spec.uid === undefined
    this.taps = spec.sides === 'any' ? [] : (spec.sides ?? []).map(({ tag }) => ({ tag, outputs: [], untapped: 0 }))
    if (inputs > 1) this.alignment = new Alignment(inputs, this)
  }

  get connects(): readonly number[] | undefined {
    return this.spec.connects
  }

  // ---- wiring

  get begun(): boolean {
    return this.started !== undefined || this.closed
  }

  get inJob(): boolean {
    return this.started?.run.kind === 'job'
  }

  get released(): boolean {
    return this.closed
  }

  port(index: number): Downstream {
    return this.alignment?.port(index) ?? this
  }

  feedFrom(release: () => void): void {
    if (this.closed) release()
    else this.feeds.push(release)
  }

  addOutput(downstream: Downstream, output: Output): void {
    if (output === 'main') this.main.push(downstream)
    else this.tapOf(output.tag).outputs.push(downstream)
  }

  /** A downstream wants no more. When none is left, neither does this operator. */
  release(downstream: Downstream): void {
    for (const outputs of [this.main, ...this.taps.map((tap) => tap.outputs)]) {
      const at = outputs.indexOf(downstream)
      if (at >= 0) outputs.splice(at, 1)
    }
    if (this.main.length === 0 && this.taps.every(({ outputs }) => outputs.length === 0)) this.close()
  }

  private get outputs(): Downstream[] {
    return this.taps.length === 0 ? this.main : [...this.main, ...this.taps.flatMap(({ outputs }) => outputs)]
  }

  // ---- the life of the stream

  start(start: StreamStart): void {
    invariant(this.started === undefined, 'a stream starts once')
    const { run } = start
    if (this.spec.keyed === true && !start.keyed) throw new ConfigurationError('STREAM_NOT_KEYED', { uid: this.operator, operator: this.spec.name })
    this.started = start
    const path = this.spec.uid ?? `${start.path}/${this.spec.name}`
    const keyed = this.spec.keys === 'given' || (this.spec.keys !== 'none' && start.keyed)
    if (this.spec.keys === 'given' && start.split && run.share?.isSplit === true)
      throw new ConfigurationError('STATE_NOT_SPLITTABLE', { uid: path, operator: this.spec.name, reason: 'the stream is split by another key' })
    const split = start.split || this.spec.keys === 'given'
    const isIdle = (): boolean | undefined => (this.time === 'passes' ? (start.isIdle() ?? this.inputIdle) : this.machine?.isIdle?.())
    for (const output of this.main) output.start(new StreamStart(run, keyed, path, start.sources, split, isIdle))
    for (const { tag, outputs } of this.taps)
      for (const output of outputs) output.start(new StreamStart(run, false, `${path}:${tag}`, start.sources, split, isIdle))
    this.machine = this.spec.create(this.contextFor(run, path) as never)
    if (this.machine.putsOff === true && run.slices !== undefined)
      this.entry = new SlicedEntry(this.machine, run.slices, this.operator, run.limits.entryQueueMax)
    if (this.machine.sink !== undefined && run.kind !== 'job') throw new ConfigurationError('SOURCE_NOT_REPLAYABLE', { uid: this.operator })
    if (this.participates) this.uid = run.register(this)
    if (run.kind === 'local') this.open()
  }

  receiver(): Receiver<never> {
    invariant(this.machine !== undefined, 'a stream has started before its first record')
    return this.entry ?? this.machine
  }

  watermark(timestampMs: number): void {
    if (this.entry?.holds === true) this.entry.wait(() => this.advance(timestampMs))
    else this.advance(timestampMs)
  }

  private advance(timestampMs: number): void {
    if (timestampMs <= this.inputWatermark) return
    this.inputWatermark = timestampMs
    if (timestampMs !== Number.POSITIVE_INFINITY) this.finiteInput = timestampMs
    if (this.ended || this.machine?.processWatermark?.(timestampMs) !== false) this.advanced(timestampMs)
    else {
      const work = (): boolean | void => this.machine?.processWatermark?.(timestampMs)
      this.putOff(work, () => this.advanced(timestampMs))
    }
  }

  private advanced(timestampMs: number): void {
    if (this.time === 'passes' || (this.time === 'own' && timestampMs === Number.POSITIVE_INFINITY)) this.letOut(timestampMs)
  }

  status(idle: boolean): void {
    if (this.entry?.holds === true) this.entry.wait(() => this.changeStatus(idle))
    else this.changeStatus(idle)
  }

  private changeStatus(idle: boolean): void {
    if (idle === this.inputIdle) return
    this.inputIdle = idle
    if (this.time === 'passes' && !this.endLetOut) this.letOutStatus(idle)
  }

  /** Capture, forward, acknowledge. What was put off is done before: it came before the barrier. */
  barrier(barrier: CheckpointBarrier): void {
    this.entry?.finish()
    invariant(barrier.checkpointId > this.lastBarrier, 'checkpoint ids increase along a stream')
    this.lastBarrier = barrier.checkpointId
    const run = this.started?.run
    if (!this.participates || run === undefined) return this.forward(barrier)
    let snapshot: Snapshot | undefined
    let failure: { readonly cause: unknown } | undefined
    try {
      snapshot = this.capture(barrier)
    } catch (cause) {
      failure = { cause }
    }
    this.forward(barrier)
    if (snapshot !== undefined) run.acknowledge(barrier.checkpointId, this.uid, snapshot)
    else run.decline(barrier.checkpointId, this.uid, failure?.cause)
  }

  // ---- a barrier that overtakes: captured and forwarded at the first input, acknowledged at the last

  overtake(barrier: CheckpointBarrier): void {
    this.entry?.finish()
    this.entry?.finish()
    invariant(barrier.checkpointId > this.lastBarrier, 'checkpoint ids increase along a stream')
    this.lastBarrier = barrier.checkpointId
    let failure: { readonly cause: unknown } | undefined
    try {
      this.overtaking = this.capture(barrier)
    } catch (cause) {
      failure = { cause }
    }
    this.forward(barrier)
    if (failure !== undefined) this.started?.run.decline(barrier.checkpointId, this.uid, failure.cause)
  }

  overtaken({ checkpointId }: CheckpointBarrier, inFlight: Json | undefined): void {
    const snapshot = this.overtaking
    this.overtaking = undefined
    if (snapshot === undefined) return
    const { meta } = snapshot
    this.started?.run.acknowledge(
      checkpointId,
      this.uid,
      inFlight === undefined ? snapshot : { ...snapshot, meta: { ...(meta as { readonly [name: string]: Json }), inFlight }, inFlight: true },
    )
  }

  giveUp({ checkpointId }: CheckpointBarrier, cause?: unknown): void {
    const snapshot = this.overtaking
    this.overtaking = undefined
    for (const table of snapshot?.tables ?? []) table.giveBack()
    // A transaction that has ended is pending, whatever becomes of its checkpoint.
    if (snapshot?.transaction !== undefined) this.started?.run.acknowledge(checkpointId, this.uid, { ...snapshot, tables: [] })
    if (cause instanceof CheckpointError) this.started?.run.abort(checkpointId, cause)
    else if (cause !== undefined) this.started?.run.decline(checkpointId, this.uid, cause)
  }

  inputEnded(input: number): void {
    if (!this.ended) this.machine?.inputEnded?.(input)
  }

  end(end: EndOfInput): void {
    if (this.entry?.holds === true) this.entry.wait(() => this.reachEnd(end))
    else this.reachEnd(end)
  }

  private reachEnd(end: EndOfInput): void {
    if (this.endLetOut) return
    this.endReached = end
    if (!this.ended) this.machine?.endOfInput?.()
    if (this.time !== 'held' || this.ended) this.letOutEnd()
  }

  complete(): void {
    if (this.closed) return
    if (this.entry?.holds === true && !this.entry.working) return this.entry.wait(() => this.complete())
    // An operator that holds its input back completes behind the end of it.
    this.completed = true
    if (this.endReached !== undefined) return
    const { outputs } = this
    this.close()
    for (const output of [...outputs]) output.complete()
  }

  /** The stream ends with an error, the user's own if it was one. */
  error(error: unknown): void {
    if (this.closed) return
    const { outputs } = this
    this.close()
    for (const output of [...outputs]) output.error(error)
  }

  /** Something of this operator failed: a job ends as a whole, any other pipeline from here down. */
  fail(error: unknown): void {
    const run = this.started?.run
    if (run?.kind === 'job') run.fail(error)
    else this.error(error)
  }

  // ---- participation in checkpoints

  get kind(): 'operator' | 'sink' {
    return this.machine?.sink === undefined ? 'operator' : 'sink'
  }

  get sink(): SinkParticipant | undefined {
    const target = this.machine?.sink
    if (target === undefined) return undefined
    return { target, attach: (writer) => this.machine?.attachWriter?.(writer as never), records: this.machine?.written ?? 0 }
  }

  restore(stored: StoredSnapshot): void {
    understood(this.uid, () => this.takeOver(stored))
  }

  private takeOver(stored: StoredSnapshot): void {
    const { time, ended, inputs, inFlight, state, tables } = stored.meta as {
      time: Json
      ended: boolean
      inputs?: Json
      inFlight?: Json
      state?: Json
      tables: { readonly [name: string]: Json }
    }
    const [input, output, idle] = time as [Json, Json, boolean]
    this.inputWatermark = this.finiteInput = timeStored(input)
    this.outputWatermark = this.finiteOutput = timeStored(output)
    this.ended = ended
    this.inputIdle = idle
    if (inputs !== undefined) this.alignment?.restore(inputs)
    if (inFlight !== undefined) {
      if (this.alignment === undefined) throw new RestoreError('STATE_UNCLAIMED', { uid: this.uid, kind: 'records in flight' })
      this.alignment.restoreInFlight(inFlight)
    }
    for (const table of this.tables) {
      const meta = tables[table.name]
      if (meta !== undefined) table.restoreMeta(meta)
    }
    if (state !== undefined) this.machine?.restoreState?.(state)
  }

  restoreRows(chunk: RowChunk): void {
    const table = this.tables.find(({ name }) => name === chunk.table)
    if (table === undefined)
      throw new RestoreError('STATE_KIND_CHANGED', { uid: this.uid, stored: chunk.table, found: this.tables.map(({ name }) => name) })
    understood(this.uid, () => table.restore(chunk))
  }

  stateIn(name: string): { readonly state: string; readonly codec: StateCodec<unknown> } | undefined {
    const options = this.tables.find((table) => table.name === name)?.options
    return options === undefined ? undefined : { state: options.state, codec: options.codec as StateCodec<unknown> }
  }

  misfits(): readonly { readonly table: string; readonly error: unknown }[] {
    return this.tables.flatMap((table) => {
      const { checkEntry } = table.options
      if (checkEntry === undefined) return []
      try {
        for (const { entry } of table.rows()) checkEntry(entry as Key)
        return []
      } catch (error) {
        return [{ table: table.name, error }]
      }
    })
  }

  open(): void {
    this.machine?.open?.()
    const { alignment } = this
    const { run, isIdle } = this.started as StreamStart
    this.inputIdle = isIdle() ?? this.inputIdle
    if (alignment === undefined) return
    if (alignment.replays) run.post(() => alignment.replay())
    if (run.kind === 'job') run.post(() => alignment.askStatuses())
  }

  get isSplit(): boolean {
    return this.started?.split === true
  }

  redistribution(name: string): Redistribution {
    if (!this.isSplit) return 'whole'
    return this.tables.find((table) => table.name === name)?.options.redistribution ?? (this.started?.keyed === true ? 'keyed' : 'single')
  }

  joinStates(states: readonly Json[], share: InstanceShare): Json | undefined {
    return this.machine?.joinStates?.(states, share)
  }

  checkpointAborted(checkpointId: number): void {
    this.alignment?.abort(checkpointId)
    this.machine?.notifyCheckpointAborted?.(checkpointId)
  }

  /** Where it stands in event time. */
  eventTime(): OperatorTime {
    return { uid: this.uid, watermark: this.inputWatermark, idle: this.inputIdle ?? false, inputs: this.alignment?.inputTimes() ?? [] }
  }

  query(state: string): StateQuery | undefined {
    const table = this.tables.find(({ options }) => options.state === state)
    if (table === undefined) return undefined
    const shown = ({ key, namespace, entry, value }: Row<unknown>): StateRow => ({ key, namespace, entry, value })
    return {
      get size() {
        return table.size
      },
      get: (key) => Array.from(table.rowsOf(normalKey(key)), shown),
      *rows() {
        for (const row of table.rows()) yield shown(row)
      },
    }
  }

  storedState(state: string): StoredState | undefined {
    const table = this.tables.find(({ options }) => options.state === state)
    if (table === undefined) return undefined
    return { table: table.name, address: (keyBytes) => table.storedAddress(keyBytes), read: (cells) => table.storedValue(cells) }
  }

  rowCounts(): { readonly [table: string]: number } {
    return Object.fromEntries(this.tables.map((table) => [table.name, table.size]))
  }

  droppedRecords(): readonly DroppedRecords[] {
    return this.drops.filter(({ records }) => records > 0).map((count) => ({ operator: this.operator, ...count }))
  }

  checkpointCompleted(checkpointId: number): void {
    this.machine?.notifyCheckpointComplete?.(checkpointId)
  }

  /** Operators with a uid have state; so have those that combine event time, under a name made of their position. */
  private get participates(): boolean {
    return this.spec.uid !== undefined || this.spec.remembers === true || this.alignment !== undefined
  }

  private capture(barrier: CheckpointBarrier): Snapshot {
    const state = this.machine?.snapshotState?.()
    const meta = {
      time: [storedTime(this.finiteInput), storedTime(this.finiteOutput), this.inputIdle === true],
      ended: this.ended && !this.drained,
      ...(this.alignment === undefined ? {} : { inputs: this.alignment.snapshot() }),
      ...(state === undefined ? {} : { state }),
      // For whoever puts savepoints of several instances together without the program.
      split: this.isSplit ? Object.fromEntries(this.tables.map(({ name }) => [name, this.redistribution(name)])) : false,
      tables: Object.fromEntries(this.tables.map((table) => [table.name, table.meta()])),
    } satisfies Json
    const tables = captureAll(this.tables)
    try {
      // Last, since a transaction that has ended has to be handed over, whatever else fails.
      return { meta, tables, transaction: this.machine?.preCommit?.(barrier.checkpointId) }
    } catch (error) {
      for (const capture of tables) capture.giveBack()
      throw error
    }
  }

  private forward(barrier: CheckpointBarrier): void {
    for (const output of this.outputs) output.barrier(barrier)
  }

  // ---- what the machine sees

  private contextFor(run: RunContext, path: string): MachineContext<unknown> {
    const share = run.share ?? InstanceShare.alone()
    const scope = {
      uid: path,
      rowsMax: run.limits.rowsMax,
      // A run learns it from its checkpoint, when its tables are made already.
      get maxParallelism() {
        return share.maxParallelism
      },
      tracked: run.kind === 'job',
      development: run.development,
    }
    return {
      uid: path,
      clock: run.clock,
      keyed: this.started?.keyed === true,
      share: share.isSplit ? share : undefined,
      isSplit: this.isSplit,
      development: run.development,
      output: fanOut(this.main.map((output) => output.receiver())),
      side: (output) => this.sideReceiver(output),
      emitWatermark: (timestampMs) => this.letOut(timestampMs),
      emitEnd: () => this.endOutput(),
      pause: () => run.pause(),
      heldMs: () => run.heldMs?.(this.started?.sources) ?? 0,
      driftGroup: (name, maxDriftMs) => run.driftGroup(name).join(maxDriftMs, () => run.pause(this.started?.sources)),
      emitStatus: (idle) => this.letOutStatus(idle),
      watermark: () => this.inputWatermark,
      rows: (options) => this.keep(run.state.rows(options, scope), share),
      entries: (options) => this.keep(run.state.entries(options, scope), share),
      post: (work) => run.post(() => this.perform(run, work)),
      isSliceOver: run.slices?.isOver ?? neverOver,
      callAt: (atMs, work) => this.callAt(run, atMs, work),
      fail: (error) => this.fail(error),
      dropCount: (reason) => this.dropCount(reason),
      report: (event) => run.report(event),
    }
  }

  private dropCount(reason: DropReason): DropCount {
    const known = this.drops.find((count) => count.reason === reason)
    if (known !== undefined) return known
    const count: DropCount = { reason, records: 0 }
    this.drops.push(count)
    return count
  }

  private keep<T extends RowStore<never> | RowStore<unknown>>(table: T, share: InstanceShare): T {
    const { redistribution = this.started?.keyed === true ? 'keyed' : 'single' } = table.options
    if (share.isSplit && this.isSplit && redistribution === 'single')
      throw new ConfigurationError('STATE_NOT_SPLITTABLE', {
        uid: this.operator,
        operator: this.spec.name,
        reason: 'it has one state for all records, of which each instance has some',
      })
    this.tables.push(table as RowStore<never>)
    return table
  }

  private tapOf(tag: string): SideTap {
    const known = this.taps.find((tap) => tap.tag === tag)
    if (known !== undefined) return known
    invariant(this.spec.sides === 'any', 'an operator emits only to the side outputs that it declares')
    const tap: SideTap = { tag, outputs: [], untapped: 0 }
    this.taps.push(tap)
    return tap
  }

  private sideReceiver<S>(output: SideOutput<S>): Receiver<S> {
    const tap = this.tapOf(tagOf(output))
    if (tap.outputs.length > 0) return fanOut(tap.outputs.map((downstream) => downstream.receiver()))
    return { processRecord: () => void (tap.untapped += 1) }
  }

  private letOut(timestampMs: number): void {
    if (timestampMs <= this.outputWatermark) return
    this.outputWatermark = timestampMs
    if (timestampMs !== Number.POSITIVE_INFINITY) this.finiteOutput = timestampMs
    for (const output of this.outputs) output.watermark(timestampMs)
  }

  private letOutEnd(): void {
    const end = this.endReached
    if (end === undefined) return
    this.endReached = undefined
    this.endLetOut = true
    this.ended = true
    this.drained = end.drained
    for (const output of this.outputs) output.end(end)
    if (this.completed) this.complete()
  }

  /** The machine ends its output: behind the end of its input or, where it wants no more, before it. */
  private endOutput(): void {
    if (this.endLetOut) return
    const early = this.endReached === undefined
    this.endReached ??= new EndOfInput(false)
    this.letOutEnd()
    // In a job it stays, and passes barriers. Anywhere else nobody needs it any more, nor the source before it.
    if (early && this.started?.run.kind === 'local') this.complete()
  }

  private get time(): 'passes' | 'own' | 'held' {
    return this.spec.time ?? 'passes'
  }

  private letOutStatus(idle: boolean): void {
    for (const output of this.outputs) output.status(idle)
  }

  private putOff(work: () => boolean | void, done: () => void): void {
    if (this.entry !== undefined) this.entry.putOff(() => work() !== false, done)
    else {
      while (work() === false);
      done()
    }
  }

  /** Runs posted work of the machine, in turn with what comes. */
  private perform(run: RunContext, work: () => boolean | void): void {
    if (run.isEnding === true) return
    const begin = (): void => {
      if (work() === false) this.putOff(work, () => {})
    }
    if (this.entry?.holds === true) this.entry.wait(begin)
    else if (run.slices === undefined) begin()
    else run.slices.within(begin)
  }

  private callAt(run: RunContext, atMs: number, work: () => boolean | void): Cancel {
    const cancel: Cancel = run.clock.callAt(atMs, () => {
      this.timers.delete(cancel)
      run.post(() => {
        if (!this.closed) this.perform(run, work)
      })
    })
    this.timers.add(cancel)
    return () => {
      this.timers.delete(cancel)
      cancel()
    }
  }

  private close(): void {
    if (this.closed) return
    this.closed = true
    this.entry?.drop()
    for (const cancel of this.timers) cancel()
    this.timers.clear()
    try {
      this.machine?.close?.()
    } finally {
      for (const dropped of this.droppedRecords()) this.started?.run.report({ kind: 'recordsDropped', ...dropped })
      for (const { tag, untapped } of this.taps)
        if (untapped > 0) this.started?.run.report({ kind: 'sideOutputUntapped', operator: this.operator, tag, records: untapped })
      for (const release of this.feeds.splice(0)) release()
    }
  }
}
