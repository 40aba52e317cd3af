import fc from 'fast-check'

/** What stands where something else was expected. */
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0.5, 1e300, '', '__proto__', '../../etc/passwd', '\u0000', [], {}, [[]], { length: 3 }),
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'toJSON').map((name) => JSON.parse(`{"${name}":{"polluted":1}}`) as unknown),
  fc.jsonValue({ maxDepth: 2 }),
)

/** JSON of which one part, anywhere, is another one, is missing, or has a name too many. */
export const mutated = (good: unknown): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 8 }), hostileValue, fc.constantFrom('replace', 'remove', 'add'))
    .map(([way, instead, how]) => {
      const copy = JSON.parse(JSON.stringify({ root: good })) as { root: unknown }
      let at: { [name: string]: unknown } = copy
      let name = 'root'
      for (const step of way) {
        const inner = at[name]
        if (typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0) break
        at = inner as { [name: string]: unknown }
        const names = Object.keys(at)
        name = names[step % names.length] as string
      }
      if (how === 'remove' && at !== copy) Reflect.deleteProperty(at, name)
      else if (how === 'add') Object.defineProperty(at, '__proto__', { value: instead, enumerable: true, configurable: true, writable: true })
      else at[name] = instead
      return copy.root
    })

/** Bytes of which some are others, and some are missing. */
export const mutatedBytes = (good: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.tuple(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), fc.nat({ max: good.length })).map(([changes, length]) => {
      const bytes = good.slice(0, length === 0 ? good.length : length)
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes
    }),
  )
