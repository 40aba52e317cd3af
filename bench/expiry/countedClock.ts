import type { Clock } from 'rxweir'

/** Time that goes on by one millisecond a record: what expires does so after so many records, on every machine. */
export class CountedClock implements Clock {
  private now = 0
  private readonly calls = new Set<{ readonly atMs: number; readonly work: () => void }>()

  nowMs(): number {
    return this.now
  }

  callAt(atMs: number, work: () => void): () => void {
    const call = { atMs, work }
    this.calls.add(call)
    return () => this.calls.delete(call)
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Few wait at a time: a checkpoint, and one call for each operator. */
  pass(ms: number): void {
    this.now += ms
    for (const call of [...this.calls].filter(({ atMs }) => atMs <= this.now)) if (this.calls.delete(call)) call.work()
  }
}
