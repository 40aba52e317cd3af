/** A time at which nobody is, and a luck that nobody has. */
const thenMs = 4_102_444_800_000
const luck = 0.123456789

/**
 * Does something as another machine would at another time: its clock and its luck are others.
 *
 * The work is synchronous, so that nobody else sees them.
 */
export function elsewhere<R>(work: () => R): R {
  const { Date: Here } = globalThis
  const chance = Reflect.get(Math, 'random') as () => number
  class There extends Here {
    constructor(...given: readonly unknown[]) {
      super(...((given.length === 0 ? [thenMs] : given) as [number]))
    }
    static override now(): number {
      return thenMs
    }
  }
  Reflect.set(globalThis, 'Date', There)
  Reflect.set(Math, 'random', () => luck)
  try {
    return work()
  } finally {
    Reflect.set(globalThis, 'Date', Here)
    Reflect.set(Math, 'random', chance)
  }
}
