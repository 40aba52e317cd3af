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
  /** Crashes while a savepoint was written. */
  crashesInSavepoint: number
  /** Crashes while what a job was to go on with was read from a savepoint, or looked for among older checkpoints, and written anew. */
  crashesInMove: number
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
  /** Checkpoints that were made of savepoints, or of older checkpoints, for a job to go on with. */
  moves: number
  /** Of those, the ones made of an older checkpoint. */
  returns: number
  /** Starts that were refused because a sink was ahead. */
  refusals: number
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
  crashesInSavepoint: 0,
  crashesInMove: 0,
  checkpoints: 0,
  concurrent: 0,
  restored: 0,
  records: 0,
  states: 0,
  faults: 0,
  moves: 0,
  returns: 0,
  refusals: 0,
  zombies: 0,
})

export function addStatistics(to: Statistics, from: Statistics): void {
  for (const name of Object.keys(from) as (keyof Statistics)[]) to[name] += from[name]
}
