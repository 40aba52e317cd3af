/** What a campaign has tried. */
export interface Statistics {
  runs: number
  crashes: number
  /** Crashes while a checkpoint was under way. */
  crashesInCheckpoint: number
  /** Crashes while a process recovered from one. */
  crashesInRecovery: number
  /** Of those, the ones in a recovery that followed a crash in recovery. */
  crashesTwoDeep: number
  /** And the ones in a recovery that followed these. */
  crashesThreeDeep: number
  /** Complete checkpoints. */
  checkpoints: number
  /** Checkpoints that began while another was under way. */
  concurrent: number
  /** Recoveries that found one. */
  restored: number
  /** Records that were compared. */
  records: number
  /** Restored states that were compared with those of a run without crashes. */
  states: number
  faults: number
  /** Processes that woke up when a later leg of their job was at its end. */
  zombies: number
}

export const noStatistics = (): Statistics => ({
  runs: 0,
  crashes: 0,
  crashesInCheckpoint: 0,
  crashesInRecovery: 0,
  crashesTwoDeep: 0,
  crashesThreeDeep: 0,
  checkpoints: 0,
  concurrent: 0,
  restored: 0,
  records: 0,
  states: 0,
  faults: 0,
  zombies: 0,
})

export function addStatistics(to: Statistics, from: Statistics): void {
  for (const name of Object.keys(from) as (keyof Statistics)[]) to[name] += from[name]
}
