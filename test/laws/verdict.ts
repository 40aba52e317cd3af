import { addStatistics, noStatistics, type Statistics } from '../../laws/simulation/statistics.js'
import type { ViolationKind } from '../../laws/simulation/violation.js'
import type { CampaignReport } from './runCampaign.js'

export const violationKinds = [
  'LOST',
  'DOUBLED',
  'REORDERED',
  'PHANTOM',
  'STATE_DIFF',
  'SILENT',
  'HUNG',
  'LEAKED',
] as const satisfies readonly ViolationKind[]

/** What all campaigns together have found. */
export class Verdict {
  readonly statistics: Statistics = noStatistics()
  readonly violations = new Map<ViolationKind, number>()
  readonly faultPoints = new Map<string, number>()

  add({ statistics, violations, faultPoints }: Pick<CampaignReport, 'statistics' | 'violations' | 'faultPoints'>): void {
    addStatistics(this.statistics, statistics)
    for (const kind of violations) this.violations.set(kind, (this.violations.get(kind) ?? 0) + 1)
    for (const [point, times] of Object.entries(faultPoints)) this.faultPoints.set(point, (this.faultPoints.get(point) ?? 0) + times)
  }

  /** At which of the points that plans aim at processes have ended, and how often. */
  coverage(): string {
    const points = [...this.faultPoints]
    const never = points.filter(([, times]) => times === 0).map(([point]) => point)
    const most = points.map(([point, times]) => `${point} ${times}`).join(', ')
    const { crashesInRecovery, crashesTwoDeep, crashesThreeDeep, crashesInSavepoint, crashesInMove } = this.statistics
    const nested = `crashes in recovery, one, two and three deep: ${crashesInRecovery}, ${crashesTwoDeep}, ${crashesThreeDeep}; while a savepoint is written ${crashesInSavepoint}, on the way elsewhere ${crashesInMove}`
    return `${nested}; fault points ${points.length - never.length} of ${points.length}${never.length > 0 ? `, never ${never.join(', ')}` : ''}: ${most}`
  }

  get clean(): boolean {
    return this.violations.size === 0
  }

  line(seed: number): string {
    const { runs, crashes, checkpoints, records } = this.statistics
    return `runs=${runs} crashes=${crashes} checkpoints=${checkpoints} records=${records} ${violationKinds.map((kind) => `${kind}=${this.violations.get(kind) ?? 0}`).join(' ')} seed=${seed}`
  }
}
