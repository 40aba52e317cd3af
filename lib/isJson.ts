import type { Json } from './json.js'

/** Small things nest little; what nests deeper is a mistake, or a cycle. */
const depthMax = 20

/** Whether JSON text holds a value as it is. */
export function isJson(value: unknown, depth = 0): value is Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object': {
      if (value === null) return true
      if (depth === depthMax) return false
      if (Array.isArray(value)) return value.every((entry) => isJson(entry, depth + 1))
      const prototype: unknown = Object.getPrototypeOf(value)
      return (prototype === Object.prototype || prototype === null) && Object.values(value).every((entry) => isJson(entry, depth + 1))
    }
    default:
      return false
  }
}
