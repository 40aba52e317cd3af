import fc from 'fast-check'

/** As much of an io-ts type as is used here, so that two copies of io-ts can meet. */
export interface IoTs<A> {
  readonly _A: A
  readonly name: string
  is(value: unknown): boolean
}

/** What types of io-ts have beside, each some of it. */
interface Parts {
  readonly _tag?: string
  readonly name: string
  readonly type?: Parts
  readonly types?: readonly Parts[]
  readonly props?: { readonly [name: string]: Parts }
  readonly keys?: { readonly [name: string]: unknown }
  readonly value?: unknown
  readonly domain?: Parts
  readonly codomain?: Parts
  runDefinition?(): Parts
  is(value: unknown): boolean
}

/** How deep a type that contains itself is followed. */
const depthMax = 4

/**
 * Makes an arbitrary of an io-ts type: any value that the type takes.
 *
 * **When to use** where the codec of a state or of a source says already what a record looks like; narrow it with `.filter` and `.map`.
 *
 * @throws TypeError for a type that is no structure of other types: write an arbitrary for it
 * @example Any click
 * ```ts
 * const Click = t.type({ user: t.string, at: t.Int })
 * fc.sample(arbitraryOf(Click), 20).every(Click.is) // => true
 * ```
 * @category laws
 * @since 0.2.0
 */
export const arbitraryOf = <A>(type: IoTs<A>): fc.Arbitrary<A> => madeOf(type as unknown as Parts, 0) as fc.Arbitrary<A>

function madeOf(type: Parts, depth: number): fc.Arbitrary<unknown> {
  const inner = (each: Parts): fc.Arbitrary<unknown> => madeOf(each, depth)
  if (type.name === 'Int') return fc.integer()
  switch (type._tag) {
    case 'StringType':
      return fc.string()
    case 'NumberType':
      return fc.double()
    case 'BooleanType':
      return fc.boolean()
    case 'BigIntType':
      return fc.bigInt()
    case 'NullType':
      return fc.constant(null)
    case 'UndefinedType':
    case 'VoidType':
      return fc.constant(undefined)
    case 'UnknownType':
    case 'AnyType':
      return fc.jsonValue()
    case 'AnyArrayType':
      return fc.array(fc.jsonValue(), { maxLength: 5 })
    case 'AnyDictionaryType':
      return fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 })
    case 'LiteralType':
      return fc.constant(type.value)
    case 'KeyofType':
      return fc.constantFrom(...Object.keys(type.keys ?? {}))
    case 'ArrayType':
    case 'ReadonlyArrayType':
      return fc.array(inner(type.type as Parts), { maxLength: 5 })
    case 'DictionaryType':
      // Of names that are known, all are there.
      if (type.domain?.keys !== undefined) return fc.record(propertiesOf({ ...type, props: namesOf(type) }, depth))
      return fc.dictionary(inner(type.domain as Parts) as fc.Arbitrary<string>, inner(type.codomain as Parts), { maxKeys: 5 })
    case 'TupleType':
      return fc.tuple(...(type.types ?? []).map(inner))
    case 'UnionType':
      return fc.oneof(...(type.types ?? []).map(inner))
    case 'InterfaceType':
      return fc.record(propertiesOf(type, depth))
    case 'PartialType':
      return fc.record(propertiesOf(type, depth), { requiredKeys: [] })
    case 'IntersectionType':
      return fc.tuple(...(type.types ?? []).map(inner)).map((parts) => Object.assign({}, ...parts) as unknown)
    case 'ReadonlyType':
    case 'ExactType':
      return inner(type.type as Parts)
    case 'RefinementType':
      return inner(type.type as Parts).filter((value) => type.is(value))
    case 'RecursiveType':
      return recursive(type, depth)
    default:
      throw new TypeError(`the type ${type.name} is no structure of other types: write an arbitrary for it`)
  }
}

const propertiesOf = ({ props = {} }: Parts, depth: number): { readonly [name: string]: fc.Arbitrary<unknown> } =>
  Object.fromEntries(Object.entries(props).map(([name, type]) => [name, madeOf(type, depth)]))

const namesOf = ({ domain, codomain }: Parts): { readonly [name: string]: Parts } =>
  Object.fromEntries(Object.keys(domain?.keys ?? {}).map((name) => [name, codomain as Parts]))

/** A type that contains itself: at some depth only the ways out of it are taken. */
function recursive(type: Parts, depth: number): fc.Arbitrary<unknown> {
  const made = type.runDefinition?.()
  if (made === undefined) throw new TypeError(`the type ${type.name} cannot be looked into`)
  if (depth < depthMax) return fc.constant(undefined).chain(() => madeOf(made, depth + 1))
  return fc.oneof(...waysOut(made).map((way) => madeOf(way, depth + 1)))
}

function waysOut(type: Parts): readonly Parts[] {
  const ways = type._tag === 'UnionType' ? (type.types ?? []).filter((each) => !contains(each, 0)) : []
  if (ways.length === 0) throw new TypeError(`the type ${type.name} has no end: write an arbitrary for it`)
  return ways
}

const contains = (type: Parts, depth: number): boolean =>
  type._tag === 'RecursiveType' ||
  (depth < depthMax &&
    [...(type.types ?? []), ...Object.values(type.props ?? {}), ...[type.type, type.codomain].filter((part) => part !== undefined)].some((part) =>
      contains(part, depth + 1),
    ))
