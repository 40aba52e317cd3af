/** What every object has, and nobody may change. */
const shared: readonly object[] = [Object.prototype, Array.prototype, Function.prototype, Map.prototype, Set.prototype]

const look = (): string => shared.map((prototype) => Reflect.ownKeys(prototype).map(String).join()).join('; ')

/** Throws if something has been put on a prototype that all objects share while `work` was done. */
export function unpolluted<R>(work: () => R): R {
  const before = look()
  const result = work()
  const after = look()
  if (before !== after) throw new Error(`a prototype that all objects share was changed: ${after.replace(before, '')}`)
  return result
}
