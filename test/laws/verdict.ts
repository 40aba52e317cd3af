import { addStatistics, noStatistics, type Statistics } from '../../laws/simulation/statistics.js'
import type { ViolationKind } from '../../laws/simulation/violation.js'

const kinds = ['LOST', 'DOUBLED', 'REORDERED', 'PHANTOM', 'STATE_DIFF', 'SILENT', 'HUNG', 'LEAKED'] as const satisfies readonly ViolationKind[]

/** What all campaigns together have found. */
export class Verdict {
  readonly statistics: Statistics = noStatistics()
  readonly violations = new Map<ViolationKind, number>()

  add(statistics: Statistics, violations: readonly ViolationKind[]): void {
    addStatistics(this.statistics, statistics)
    for (const kind of violations) this.violations.set(kind, (this.violations.get(kind) ?? 0) + 1)
  }

  get clean(): boolean {
    return this.violations.size === 0
  }

  line(seed: number): string {
    const { runs, crashes, checkpoints, records } = this.statistics
    return `runs=${runs} crashes=${crashes} checkpoints=${checkpoints} records=${records} ${kinds.map((kind) => `${kind}=${this.violations.get(kind) ?? 0}`).join(' ')} seed=${seed}`
  }
}
