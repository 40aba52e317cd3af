/** How much is done at once. A simulation draws it from its seed. */
export interface Pacing {
  /** Records of one source before another source, or posted work, has its turn. */
  recordsPerTurn(): number
  /** Turns before the rest of the application has its turn, however little time has passed. */
  turnsPerSlice(): number
  readonly sliceMs: number
  /** Steps of one piece of long work (timers that are due) before the rest of the application has its turn, however little time has passed. */
  stepsPerSlice(): number
}

export const defaultPacing: Pacing = { recordsPerTurn: () => 512, turnsPerSlice: () => 1_024, sliceMs: 8, stepsPerSlice: () => 65_536 }
