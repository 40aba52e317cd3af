/** A bug that one could write: a text in one file of the engine, and what stands there instead. */
export interface PlantedBug {
  readonly name: string
  /** The rule that it breaks. */
  readonly rule: string
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export const plantedBugs: readonly PlantedBug[] = [
  // --- the coordinator
  {
    name: 'commits are decided before the manifest is published',
    rule: 'D7.5',
    file: 'lib/coordinator.ts',
    find: 'await unwrap(pending.writer.publish(this.body(pending)))',
    replace:
      'for (const queue of this.host.commits.values()) queue.decide(pending.id)\n      await unwrap(pending.writer.publish(this.body(pending)))',
  },
  {
    name: 'a checkpoint is complete before its publish has answered',
    rule: 'D7.5',
    file: 'lib/coordinator.ts',
    find: 'await unwrap(pending.writer.publish(this.body(pending)))',
    replace: 'unwrap(pending.writer.publish(this.body(pending))).catch(() => {})',
  },
  {
    name: 'transactions are not waited for before the publish',
    rule: 'D7.4',
    file: 'lib/coordinator.ts',
    find: 'for (const queue of this.host.commits.values()) await queue.prepared(pending.id)',
    replace: '',
  },
  {
    name: 'what an aborted checkpoint captured is forgotten',
    rule: 'P12',
    file: 'lib/coordinator.ts',
    find: 'for (const { tables } of pending.snapshots.values()) for (const table of tables) table.giveBack()',
    replace: 'for (const { tables } of pending.snapshots.values()) for (const table of tables) table.release()',
  },
  {
    name: 'nobody is told to commit',
    rule: 'D7.6',
    file: 'lib/coordinator.ts',
    find: 'for (const queue of this.host.commits.values()) queue.decide(id)',
    replace: '',
  },
  {
    name: 'only the first sink is told to commit',
    rule: 'D7.6',
    file: 'lib/coordinator.ts',
    find: 'for (const queue of this.host.commits.values()) queue.decide(id)',
    replace: 'this.host.commits.values().next().value?.decide(id)',
  },
  {
    name: 'the finished flag of a source is not stored',
    rule: 'P5',
    file: 'lib/coordinator.ts',
    find: '[uid, { offset, finished }]',
    replace: '[uid, { offset, finished: false }]',
  },
  {
    name: 'offsets are noted when the checkpoint is published, not at the barrier',
    rule: 'P5',
    file: 'lib/coordinator.ts',
    find: 'return bodyOf({ maxParallelism: this.host.maxParallelism, sources: pending.offsets, operators, sinks })',
    replace:
      'return bodyOf({ maxParallelism: this.host.maxParallelism, sources: byName(this.host.sources.map(({ uid, offset, finished }) => [uid, { offset, finished }])), operators, sinks })',
  },
  // --- the queue of commits
  {
    name: 'a manifest has only the handles of its own checkpoint',
    rule: 'P19',
    file: 'lib/commitQueue.ts',
    find: 'checkpointId <= id && handle !== undefined && option.isSome(handle) ?',
    replace: 'checkpointId === id && handle !== undefined && option.isSome(handle) ?',
  },
  {
    name: 'a commit that failed counts as done',
    rule: 'P19',
    file: 'lib/commitQueue.ts',
    find: 'await this.pause(Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1)))',
    replace: 'return true',
  },
  {
    name: 'commits stop after a transaction in which nothing was written',
    rule: 'P19',
    file: 'lib/commitQueue.ts',
    find: '    this.busy = false\n  }',
    replace: '    if (this.transactions.length > 0) this.busy = false\n  }',
  },
  {
    name: 'a transaction that failed is forgotten before its checkpoint asks for it',
    rule: 'P18',
    file: 'lib/commitQueue.ts',
    find: '        transaction.handle = option.none\n',
    replace: '        this.drop(transaction)\n',
  },
  // --- the run
  {
    name: 'recovery skips the commits that were decided',
    rule: 'P19',
    file: 'lib/jobRun.ts',
    find: 'for (const { handle } of body?.sinks[uid] ?? []) {',
    replace: 'for (const { handle } of (body?.sinks[uid] ?? []).slice(1)) {',
  },
  {
    name: 'recovery does not abort what nobody decided',
    rule: 'P18',
    file: 'lib/jobRun.ts',
    find: 'await unwrap(writer.abortOthers())',
    replace: '',
  },
  {
    name: 'a new subscription does not wait until the run before is quiet',
    rule: 'P3',
    file: 'lib/job.ts',
    find: 'void Promise.all(ended).then(() => run.start())',
    replace: 'void Promise.resolve().then(() => run.start())',
  },
  {
    name: 'the end of input takes no final checkpoint',
    rule: 'P21',
    file: 'lib/jobRun.ts',
    find: 'while (!this.over && last === undefined) {',
    replace: 'while (false) {',
  },
  {
    name: 'the end of input does not wait for commits',
    rule: 'P21',
    file: 'lib/jobRun.ts',
    find: 'while (!this.over && [...this.commits.values()].some(({ unconfirmed }) => unconfirmed > 0)) await this.nextConfirmation()',
    replace: '',
  },
  {
    name: 'rows are restored from the first chunk only',
    rule: 'P12',
    file: 'lib/jobRun.ts',
    find: 'if (failure !== undefined || !(chunk.uid in body.operators)) return',
    replace: 'if (rows > chunk.rows || failure !== undefined || !(chunk.uid in body.operators)) return',
  },
  // --- sources and junctions
  {
    name: 'the offset is one record behind',
    rule: 'P5',
    file: 'lib/sourceStage.ts',
    find: 'this.offset = batch.offsetAfter(to - 1)',
    replace: 'this.offset = batch.offsetAfter(Math.max(0, to - 2))',
  },
  {
    name: 'the offset is that of the whole batch',
    rule: 'P5',
    file: 'lib/sourceStage.ts',
    find: 'this.offset = batch.offsetAfter(to - 1)',
    replace: 'this.offset = batch.offsetAfter(values.length - 1)',
  },
  {
    name: 'a junction lets a barrier pass with the first input',
    rule: 'P6',
    file: 'lib/align.ts',
    find: 'if (!this.inputs.every((each) => each.blocked)) return',
    replace: '',
  },
  {
    name: 'what was held back is released before the snapshot',
    rule: 'P6',
    file: 'lib/align.ts',
    find: '    this.behind.barrier(barrier)\n    this.release()',
    replace: '    this.release()\n    this.behind.barrier(barrier)',
  },
  {
    name: 'records behind a barrier are not held back',
    rule: 'P6',
    file: 'lib/align.ts',
    find: 'if (this.busy || input.blocked) this.arrive(input, new RecordElement(value, timestamp, key))',
    replace: 'if (this.busy) this.arrive(input, new RecordElement(value, timestamp, key))',
  },
  // --- state
  {
    name: 'a row that changes while it is being stored is not copied',
    rule: 'P10',
    file: 'lib/state/rowStore.ts',
    find: 'this.open?.save(row)',
    replace: '',
  },
  {
    name: 'deletions are not stored',
    rule: 'P13',
    file: 'lib/state/rowStore.ts',
    find: 'else frames.addDeletion(keyGroup, keyText)',
    replace: '',
  },
  {
    name: 'a row is dirty only once',
    rule: 'P12',
    file: 'lib/state/rowStore.ts',
    find: 'if (row.dirtyIn !== this.interval && this.scope.tracked) this.touch(row)\n    row.value = value',
    replace: 'if (row.dirtyIn === 0 && this.scope.tracked) this.touch(row)\n    row.value = value',
  },
  {
    name: 'state lives anew after a restore',
    rule: 'P13',
    file: 'lib/state/rowStore.ts',
    find: 'row.touchedMs = touchedMs ?? this.options.time?.() ?? 0',
    replace: 'row.touchedMs = 1e9',
  },
  {
    name: 'broadcast state is not stored',
    rule: 'P12',
    file: 'lib/stageRun.ts',
    find: 'captureAll(this.tables)',
    replace: "captureAll(this.tables.filter(({ name }) => !name.startsWith('broadcast:')))",
  },
  {
    name: 'state expires a millisecond too late',
    rule: 'TTL',
    file: 'lib/state/expiry.ts',
    find: 'row.touchedMs + this.ttl.afterMs <= this.now()',
    replace: 'row.touchedMs + this.ttl.afterMs < this.now()',
  },
  {
    name: 'calls under way are not stored',
    rule: 'P16',
    file: 'operators/asyncMap.ts',
    find: "(queued): queued is Call<T, R> => queued.kind === 'call')",
    replace: "(queued): queued is Call<T, R> => queued.kind === 'call' && !queued.started)",
  },
  // --- time
  {
    name: 'the watermark is not restored',
    rule: 'P15',
    file: 'lib/stageRun.ts',
    find: 'this.inputWatermark = this.finiteInput = timeStored(input)',
    replace: 'void input',
  },
  {
    name: 'the largest event time seen is not restored',
    rule: 'P15',
    file: 'operators/assignTimestamps.ts',
    find: 'this.generator.restore(generator)',
    replace: 'void generator',
  },
  {
    name: 'when windows are due is not rebuilt after a restore',
    rule: 'P15',
    file: 'lib/window/tumblingMachine.ts',
    find: 'for (const row of this.windows.rows()) this.schedule(row)',
    replace: '',
  },
  {
    name: 'a window that has fired fires again after a restore',
    rule: 'P15',
    file: 'lib/window/tumblingMachine.ts',
    find: 'if (lastMs > this.context.watermark()) this.due.add(lastMs, row)',
    replace: 'this.due.add(lastMs, row)',
  },
  {
    name: 'timers are not restored',
    rule: 'P15',
    file: 'lib/state/timers.ts',
    find: 'for (const row of domain.table.rows()) domain.due.add(row.entry as number, row)',
    replace: 'void domain',
  },
  {
    name: 'a timer that was deleted comes back after a restore',
    rule: 'P15',
    file: 'lib/state/timers.ts',
    find: '    table.remove(row)\n    due.delete(at, row)',
    replace: '    due.delete(at, row)',
  },
  {
    name: 'open sessions are not found after a restore',
    rule: 'P15',
    file: 'lib/window/generalMachine.ts',
    find: 'this.options.sessions?.restored()',
    replace: '',
  },
  // --- backends
  {
    name: 'a storage in memory lets a fenced writer publish',
    rule: 'P4',
    file: 'backends/memory/memoryStorage.ts',
    find: "if (this.newest().seq >= slot.seq) throw new BackendError('BACKEND_FENCED', { job: this.job, fatal: true })",
    replace: '',
  },
  {
    name: 'segments are not synced',
    rule: 'D11',
    file: 'backends/directory/segmentFile.ts',
    find: '    await this.file.sync()\n    this.open = false',
    replace: '    this.open = false',
  },
  {
    name: 'the manifest is not synced',
    rule: 'D11',
    file: 'backends/directory/manifestFile.ts',
    find: '    await writeAll(file, content, 0)\n    await file.sync()',
    replace: '    await writeAll(file, content, 0)',
  },
  {
    name: 'the directory is not synced after a publish',
    rule: 'D11',
    file: 'backends/directory/folder.ts',
    find: '        await this.sync()\n        this.requireSynced(failuresBefore)',
    replace: '        this.requireSynced(failuresBefore)',
  },
  {
    name: 'a part of a sink is not synced before it is named',
    rule: 'D11',
    file: 'backends/directory/partBuffer.ts',
    find: '    await file.sync()\n    this.#file = undefined',
    replace: '    this.#file = undefined',
  },
]
