/** Says what kind of thing a value is, for messages: never the value itself, it may be private. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  if (Array.isArray(value)) return 'array'
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return 'object'
  // The descriptor, because reading `constructor` could run a getter of the value.
  const name: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value?.name
  return typeof name === 'string' && name !== '' ? name.slice(0, 60) : 'class instance'
}
